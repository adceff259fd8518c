import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isFlywheelError, toFlywheelError } from '@flywheel/base';
import { writeSecretFile } from '@flywheel/cache';

/**
 * Puts the password of a host into a netrc, in the place of the one that was there, and leaves the
 * other hosts alone. The file is the owner's alone (0600), as Nix and Attic's client make it.
 */
export async function writeNetrcEntry(file: string, host: string, password: string): Promise<void> {
  const others = withoutMachine(await textOf(file), host);
  await mkdir(dirname(file), { recursive: true });
  // First, before a `default` entry, which would win.
  await writeSecretFile(file, `machine ${host}\npassword ${password}\n${others}`.trimEnd());
}

/** Entries begin with a word of their own and go on until the next one. */
export function withoutMachine(netrc: string, host: string): string {
  const entries = netrc.split(/^(?=[ \t]*(?:machine|default|macdef)\b)/m);
  const name = (entry: string): string | undefined => /^\s*machine\s+(\S+)/.exec(entry)?.[1];
  return entries.filter((entry) => name(entry) !== host).join('');
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const error = toFlywheelError(cause, `read ${file}`);
    if (isFlywheelError(error, 'not-found')) return '';
    throw error;
  }
}
