import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError, isFlywheelError, toFlywheelError } from '@flywheel/base';
import type { NeededSecret, Values } from './needed-secrets.ts';

export interface GivenFrom {
  readonly env: Readonly<Partial<Record<string, string>>>;
  /** With a folder for each Secret, by its name, and in it a file for each entry. */
  readonly folder?: string;
}

/**
 * The variable that gives an entry, such as FLYWHEEL_SECRET_CACHE_DATABASE_URL; with `_FILE` behind
 * it, it names a file with the value.
 */
export function variableOf({ role }: Pick<NeededSecret, 'role'>, key: string): string {
  const of = role.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  const name = key
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_/, '')
    .toUpperCase();
  // MINIO_ROOT_USER of minioRoot is said once.
  return `FLYWHEEL_SECRET_${name.startsWith(`${of}_`) ? name : `${of}_${name}`}`;
}

/**
 * What somebody gives for a Secret: files of the folder, and over them the environment. A newline at
 * the end is not part of a value. Throws `not-found` for a file that a variable names in vain,
 * `invalid-input` for an empty value.
 */
export async function givenValues(needed: NeededSecret, from: GivenFrom): Promise<Values> {
  const values: Record<string, string> = { ...(await folderValues(needed, from.folder)) };
  for (const key of needed.keys) {
    const variable = variableOf(needed, key);
    const file = from.env[`${variable}_FILE`] ?? '';
    const value = from.env[variable] ?? '';
    if (value !== '') values[key] = trimmed(value, variable);
    else if (file !== '') values[key] = trimmed(await textOf(file, `${variable}_FILE`), file);
  }
  return values;
}

async function folderValues(
  { name, keys }: NeededSecret,
  folder: string | undefined,
): Promise<Values> {
  if (folder === undefined) return {};
  const path = join(folder, name);
  const files = (await filesIn(path)).filter((file) => keys.length === 0 || keys.includes(file));
  const entries = files.map(async (file) => {
    const source = join(path, file);
    return [file, trimmed(await textOf(source, '--from'), source)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function filesIn(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    // Dots: what a mounted Secret consists of. A pull secret begins with one, too.
    const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    return names.filter((name) => !name.startsWith('..')).toSorted();
  } catch (error) {
    if (isFlywheelError(toFlywheelError(error), 'not-found')) return [];
    throw toFlywheelError(error, `read ${path}`);
  }
}

async function textOf(path: string, said: string): Promise<string> {
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    throw toFlywheelError(cause, `read the file of ${said}`);
  });
}

function trimmed(text: string, source: string): string {
  const value = text.replace(/\r?\n$/, '');
  if (value !== '') return value;
  throw new FlywheelError('invalid-input', `the value of ${source} is empty`);
}
