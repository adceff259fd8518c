import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from './child.ts';
import type { RunResult } from './child.ts';
import { buildOnce, enginesFolder } from './engine-folder.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * A folder with packages of another Debian release and all that they depend on, unpacked. apt
 * works on a private state with an empty package list: it needs no root, changes nothing on the
 * machine, resolves the whole closure and verifies it with the archive's keys. No package script
 * runs, so this suits programs, not services that must be configured.
 *
 * Kept between runs; delete the folder to fetch newer packages. Throws `unsupported` where
 * there is no apt or no Debian mirror, `unavailable` when the mirror does not answer.
 */
export async function unpackDebian(
  release: string,
  packages: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const name = `debian-${release}-${process.arch}-${packages.join('-')}`;
  return buildOnce(join(enginesFolder(env), name), async (folder) => {
    const mirror = env['FLYWHEEL_DEBIAN_MIRROR'] ?? (await machineMirror());
    await requireKeyring();
    const apt = join(folder, '.apt');
    await fetchPackages(apt, `deb [signed-by=${KEYRING}] ${mirror} ${release} main\n`, packages);
    const archives = join(apt, 'archives');
    for (const file of await readdir(archives)) {
      if (!file.endsWith('.deb')) continue;
      await mustRun(['dpkg-deb', '--extract', join(archives, file), folder], `unpack ${file}`);
    }
    await rm(apt, { recursive: true });
  });
}

/** The mirror that this machine's own apt uses, so that a proxy or a local mirror is honoured. */
export async function machineMirror(): Promise<string> {
  const format = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'];
  const { stdout } = await mustRun(['apt-get', ...format], "list the machine's apt sources");
  const mirror = stdout.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (mirror !== undefined) return mirror;
  throw new FlywheelError('unsupported', "no Debian mirror among this machine's apt sources", {
    details: { hint: 'set FLYWHEEL_DEBIAN_MIRROR to the URL of a Debian mirror' },
  });
}

async function requireKeyring(): Promise<void> {
  try {
    await access(KEYRING);
  } catch (cause) {
    throw new FlywheelError('unsupported', `${KEYRING} is not there, so nothing can be verified`, {
      cause,
      details: { hint: 'install the package debian-archive-keyring' },
    });
  }
}

async function fetchPackages(
  apt: string,
  source: string,
  packages: readonly string[],
): Promise<void> {
  await mkdir(join(apt, 'lists', 'partial'), { recursive: true });
  await mkdir(join(apt, 'archives', 'partial'), { recursive: true });
  await writeFile(join(apt, 'status'), '');
  await writeFile(join(apt, 'sources.list'), source);
  const settings = {
    'Dir::State': apt,
    'Dir::State::status': join(apt, 'status'),
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': apt,
    'Dir::Cache::archives': join(apt, 'archives'),
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    // The files are ours, and so is the process: there is no other user to drop to.
    'APT::Sandbox::User': 'root',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const attempted = `fetch ${packages.join(', ')} of ${source.trim()}`;
  await mustRun(['apt-get', ...options, '--quiet', 'update'], attempted);
  await mustRun(
    ['apt-get', ...options, '--quiet', '--yes', '--download-only', 'install', ...packages],
    attempted,
  );
}

async function mustRun(command: readonly string[], attempted: string): Promise<RunResult> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  const result = await runChild(command, { env, timeoutMs: 600_000 }).catch((cause: unknown) => {
    throw new FlywheelError('unsupported', `${attempted}: ${command[0]} does not start`, { cause });
  });
  if (result.status === 0) return result;
  throw new FlywheelError('unavailable', `${attempted}: ${result.stderr.trim().slice(-800)}`);
}
