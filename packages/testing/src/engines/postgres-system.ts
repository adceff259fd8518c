import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from './child.ts';
import { unpackDebian } from './debian-packages.ts';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import type { Missing } from './missing.ts';

const RELEASE = 'forky';
const MAJOR = 18;
/** PostgreSQL with the shell that it runs commands by, and Barman with what it compresses by. */
const PACKAGES = [
  `postgresql-${MAJOR}`,
  'coreutils',
  'dash',
  'tar',
  'ca-certificates',
  'barman-cli-cloud',
  'python3-boto3',
  'python3-lz4',
  'python3-zstandard',
];
const UNUSED = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/perl'];
/** Debian keeps them in /usr, and a package's script makes the links. */
const MERGED = ['bin', 'lib', 'lib64', 'sbin'];
/** By these numbers, CloudNativePG's own images know the user that it runs PostgreSQL as. */
const ACCOUNTS = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\npostgres:x:26:26::/var/lib/postgresql:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  'etc/group': 'root:x:0:\npostgres:x:26:\nnogroup:x:65534:\n',
} as const;

/** A system of Debian in an archive, of which images are made. */
export interface PostgresSystem {
  /** Of PostgreSQL, as tags of its images begin with it. */
  readonly major: number;
  readonly archive: string;
  /** Where programs are. */
  readonly path: string;
}

/** PostgreSQL and Barman of Debian's packages. They are fetched on first use and kept. */
export async function postgresSystem(): Promise<PostgresSystem | Missing> {
  if (process.getuid?.() !== 0) return { missing: 'not root, which a system of Debian needs' };
  const folder = join(enginesFolder(), `postgres-system-${MAJOR}-${RELEASE}-${process.arch}`);
  await buildOnce(folder, async (draft) => {
    const system = join(draft, 'system');
    await cp(await unpackDebian(RELEASE, PACKAGES), system, {
      recursive: true,
      verbatimSymlinks: true,
    });
    for (const name of MERGED) await symlink(`usr/${name}`, join(system, name));
    for (const name of ['controller', 'proc', 'run', 'tmp']) {
      await mkdir(join(system, name), { recursive: true });
    }
    for (const [name, text] of Object.entries(ACCOUNTS)) await writeFile(join(system, name), text);
    // Nobody can write there later, and Barman starts anew for each file that it archives.
    await mustRun(['chroot', system, 'python3', '-m', 'compileall', '-q', '/usr/lib/python3']);
    await mustRun(['chroot', system, 'sh', '-c', 'python3 -m compileall -q /usr/lib/python3.*']);
    const leftOut = UNUSED.map((path) => `--exclude=./${path}`);
    const archive = join(draft, 'system.tar');
    await mustRun(['tar', '--numeric-owner', ...leftOut, '-C', system, '-cf', archive, '.']);
    await rm(system, { recursive: true });
  });
  return {
    major: MAJOR,
    archive: join(folder, 'system.tar'),
    path: `/usr/lib/postgresql/${MAJOR}/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  };
}

async function mustRun(command: readonly string[]): Promise<void> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  const { status, stderr } = await runChild(command, { env, timeoutMs: 300_000 });
  if (status === 0) return;
  throw new FlywheelError('unavailable', `${command.join(' ')}: ${stderr.trim().slice(-800)}`);
}
