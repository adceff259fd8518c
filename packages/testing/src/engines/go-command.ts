import { homedir } from 'node:os';
import { FlywheelError } from '@flywheel/base';
import { runChild } from './child.ts';

const TIMEOUT_MS = 25 * 60_000;
const INHERITED = [
  'PATH',
  'GOPROXY',
  'GOFLAGS',
  'GONOSUMDB',
  'GOSUMDB',
  'GOMODCACHE',
  'GOCACHE',
  'SSL_CERT_FILE',
  'HTTPS_PROXY',
];

/** Go on `PATH` or where its own installer puts it; undefined when there is none. */
export async function findGo(): Promise<string | undefined> {
  for (const candidate of ['go', '/usr/local/go/bin/go']) {
    const env = inherited(['PATH', 'HOME']);
    const found = await runChild([candidate, 'version'], { env }).catch(() => undefined);
    if (found?.status === 0) return candidate;
  }
  return undefined;
}

/** Runs a command of Go and answers what it prints. Throws `unavailable` when it fails. */
export async function runGo(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const env = {
    ...inherited(INHERITED),
    HOME: process.env['HOME'] ?? homedir(),
    CGO_ENABLED: '0',
    ...options.env,
  };
  const { cwd } = options;
  const run = await runChild(command, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    timeoutMs: TIMEOUT_MS,
  });
  if (run.status === 0) return run.stdout;
  throw new FlywheelError('unavailable', `${command.join(' ')}: ${run.stderr.slice(-2000)}`);
}

function inherited(names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
