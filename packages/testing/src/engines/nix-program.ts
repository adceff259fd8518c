import { access, glob } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from './child.ts';
import { unpackDebian } from './debian-packages.ts';

/** Where a nix is, and how its programs (`nix`, `nix-store`, …) are started. */
export interface NixProgram {
  /** As it says itself, for instance `2.34.8`. */
  readonly version: string;
  command(program: string): readonly string[];
}

/** The nix on this machine's PATH, or undefined. */
export async function nixOnPath(env: NodeJS.ProcessEnv): Promise<NixProgram | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const nix = join(folder, 'nix');
    if (folder === '' || !(await isThere(nix))) continue;
    return probe((program) => [join(folder, program)]);
  }
  return undefined;
}

/**
 * The nix of another Debian release, run where it lies: its own dynamic loader gets its own
 * libraries, so neither root nor a chroot is needed. nix's programs are one binary that looks at
 * the name it was called by, hence `--argv0`.
 */
export async function nixFromDebian(release: string, env: NodeJS.ProcessEnv): Promise<NixProgram> {
  const folder = await unpackDebian(release, ['nix-bin'], env);
  const loader = await findLoader(folder);
  // Before Debian 13, packages still put some libraries into /lib.
  const triplet = basename(dirname(loader));
  const libraries = ['usr/lib', 'lib'].map((part) => join(folder, part, triplet));
  const start = [loader, '--library-path', libraries.join(':'), '--argv0'];
  return probe((program) => [...start, program, join(folder, 'usr/bin/nix')]);
}

async function findLoader(folder: string): Promise<string> {
  for await (const path of glob('{usr/lib,lib}/*-linux-gnu*/ld-linux*.so.*', { cwd: folder })) {
    return join(folder, path);
  }
  throw new FlywheelError('corrupt', `no dynamic loader in ${folder}`, {
    details: { hint: 'delete that folder; it will be fetched again' },
  });
}

async function probe(command: NixProgram['command']): Promise<NixProgram> {
  const asked = [...command('nix'), '--version'];
  const answer = await runChild(asked, { env: { HOME: '/var/empty', PATH: '/usr/bin:/bin' } });
  const version = /\(Nix\) (\d+\.\d+[\w.]*)/.exec(answer.stdout)?.[1];
  if (version !== undefined) return { version, command };
  throw new FlywheelError('unsupported', `${asked.join(' ')} says: ${answer.stderr.trim()}`);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
