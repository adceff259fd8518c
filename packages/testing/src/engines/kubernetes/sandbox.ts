import type { ChildProcess } from 'node:child_process';
import { access, mkdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { FlywheelError } from '@flywheel/base';
import { runChild, startChild, stopChild } from '../child.ts';
import type { Missing } from '../missing.ts';
import type { Place } from './place.ts';

/**
 * Namespaces of processes, mounts and network of its own. When its first process ends, the kernel
 * ends all others and takes mounts and devices away: nothing stays, however the test ended.
 */
export interface Sandbox extends Place, AsyncDisposable {
  /** The address of this machine as seen from within. */
  readonly hostAddress: string;
  /** The address of services that is kept for names. */
  readonly dnsAddress: string;
}

const PROGRAMS = [
  '/usr/sbin/ip',
  '/usr/sbin/iptables',
  '/usr/sbin/iptables-restore',
  '/usr/bin/nsenter',
  '/usr/bin/setpriv',
  '/usr/bin/unshare',
];
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
/** Folders that the programs of a node write into at fixed places. */
const SCRATCH = ['/run', '/var/log', '/var/lib/cni', '/var/lib/kubelet'];
const NETWORKS = 200;

/** Makes a sandbox whose first process is `init`, which must collect orphans and end at SIGTERM. */
export async function startSandbox(init: string): Promise<Sandbox | Missing> {
  const missing = await whatIsMissing();
  if (missing !== undefined) return { missing };
  for (const folder of SCRATCH) await mkdir(folder, { recursive: true });
  const child = startChild(
    // SIGKILL at our death instead of SIGTERM, which unshare does not pass on.
    // prettier-ignore
    ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--', '/usr/bin/unshare',
      '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--',
      '/bin/sh', '-euc', SETUP, 'sandbox', init, ...SCRATCH],
    { env: ENV },
  );
  try {
    const pid = await firstProcess(child);
    const enter = (words: readonly string[]): readonly string[] =>
      // prettier-ignore
      ['/usr/bin/nsenter', '--target', `${pid}`, '--net', '--mount', '--pid', '--', ...words];
    const network = await connect(pid, enter);
    return {
      address: `${network}.2`,
      hostAddress: `${network}.1`,
      dnsAddress: `${network}.138`,
      serviceRange: `${network}.128/25`,
      command: enter,
      port: (usual) => Promise.resolve(usual),
      [Symbol.asyncDispose]: () => stopSandbox(child, pid),
    };
  } catch (error) {
    await stopChild(child, 0);
    throw error;
  }
}

// Mounts must not reach the machine, and must reach from the kubelet into containers.
const SETUP = `
init=$1
shift
mount --make-rprivate /
mount --make-rshared /
for folder in "$@"; do mount -t tmpfs tmpfs "$folder"; done
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
echo ready
exec "$init"
`;

async function whatIsMissing(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'no Linux, whose namespaces a node needs';
  if (process.getuid?.() !== 0) return 'not root, which namespaces need';
  for (const program of PROGRAMS) {
    const there = await access(program).then(
      () => true,
      () => false,
    );
    if (!there) return `no ${program}, which a sandbox needs`;
  }
  // runc asks for it: else "mount dst=/, MS_REC|MS_SLAVE: invalid argument".
  const root = await runChild(['/usr/bin/mountpoint', '-q', '/'], { env: ENV });
  return root.status === 0 ? undefined : '/ is no mount point, which runc asks for';
}

async function firstProcess(child: ChildProcess): Promise<number> {
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => (said += piece.toString()));
  const lines = createInterface({ input: child.stdout! });
  await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(
    () => '',
  );
  const pid = Number.parseInt(children, 10);
  if (Number.isInteger(pid)) return pid;
  throw new FlywheelError('unavailable', `a sandbox did not start: ${said}`);
}

/** Joins the sandbox to this machine by a network that nobody else has; answers its first three bytes. */
async function connect(
  pid: number,
  enter: (words: readonly string[]) => readonly string[],
): Promise<string> {
  const run = async (words: readonly string[]): Promise<void> => {
    const { status, stderr } = await runChild(words, { env: ENV });
    if (status !== 0) throw new FlywheelError('unavailable', `${words.join(' ')}: ${stderr}`);
  };
  for (let number = 0; number < NETWORKS; number += 1) {
    const link = `flywheel${number}`;
    // prettier-ignore
    const made = await runChild(
      ['ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${pid}`],
      { env: ENV },
    );
    if (/File exists/.test(made.stderr)) continue;
    if (made.status !== 0) throw new FlywheelError('unavailable', `ip link add: ${made.stderr}`);
    const network = `10.200.${number}`;
    await run(['ip', 'address', 'add', `${network}.1/25`, 'dev', link]);
    await run(['ip', 'link', 'set', link, 'up']);
    await run(enter(['ip', 'address', 'add', `${network}.2/25`, 'dev', 'eth0']));
    await run(enter(['ip', 'link', 'set', 'eth0', 'up']));
    // Services too must be routable before the rules that catch them.
    await run(enter(['ip', 'route', 'add', 'default', 'via', `${network}.1`]));
    await run(['ip', 'route', 'add', `${network}.128/25`, 'via', `${network}.2`]);
    return network;
  }
  throw new FlywheelError('unavailable', `${NETWORKS} sandboxes are there already`);
}

async function stopSandbox(child: ChildProcess, pid: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  process.kill(pid, 'SIGKILL');
  await gone;
}
