import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError, isFlywheelError, toFlywheelError } from '@flywheel/base';
import { generateTokenKey } from './generate-token-key.ts';
import { parseTokenKey, type TokenAlgorithm, type TokenKey } from './token-key.ts';

/** A folder with the token keys, one file a key, in the order of their names. */
export interface KeyFolder {
  readonly path: string;
  /** Only files that start so are keys; the others belong to somebody else. */
  readonly prefix: string;
}

/** A key as it lies in its folder. */
export interface KeyFile {
  readonly file: string;
  /** What can sign, and may. */
  readonly state: 'active' | 'verify-only';
  readonly key: TokenKey;
}

/** A key in a file with this ending verifies and signs nothing. */
const VERIFY_ONLY = '.verify';
/** Longer files are no keys: an RSA key of 16,384 bits has 13 KB. */
const MAX_BYTES = 64 * 1024;

/** All keys of the folder. Throws `invalid-input` with the file's name for one that is none. */
export async function readKeyFolder(folder: KeyFolder): Promise<readonly KeyFile[]> {
  const files: KeyFile[] = [];
  for (const file of await keyFileNames(folder)) {
    const key = await readKey(join(folder.path, file));
    const signs = key.sign !== undefined && !file.endsWith(VERIFY_ONLY);
    files.push({
      file,
      state: signs ? 'active' : 'verify-only',
      key: signs ? key : { ...key, sign: undefined },
    });
  }
  if (files.length > 0) return files;
  throw new FlywheelError('invalid-input', `there is no token key in ${folder.path}`, {
    details: { hint: 'make one: ./flywheel cache key add' },
  });
}

/** Changes when a file of the folder does. Kubernetes swaps a link, which changes the inodes. */
export async function keyFolderMark(folder: KeyFolder): Promise<string> {
  const marks: string[] = [];
  for (const file of await keyFileNames(folder)) {
    const { ino, size, mtimeMs } = await stat(join(folder.path, file));
    marks.push(`${file} ${ino} ${size} ${mtimeMs}`);
  }
  return marks.join('\n');
}

/** Makes a key and its file, which only the owner may read. The newest name signs. */
export async function addKey(
  folder: KeyFolder,
  algorithm: TokenAlgorithm,
  nowMs: number,
  verifyOnly = false,
): Promise<KeyFile> {
  const text = generateTokenKey(algorithm);
  const key = parseTokenKey(text);
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const file = `${folder.prefix}key-${time}-${key.kid.slice(0, 6)}.jwk${verifyOnly ? VERIFY_ONLY : ''}`;
  await writeSecretFile(join(folder.path, file), text);
  return { file, state: verifyOnly ? 'verify-only' : 'active', key };
}

/**
 * Keeps a key that was made elsewhere, to verify what it has signed there. Written again, it is the
 * same file. Throws `invalid-input` when the text is no key.
 */
export async function keepForeignKey(
  folder: KeyFolder,
  origin: string,
  text: string,
): Promise<KeyFile> {
  const key = parseTokenKey(text);
  const file = `${folder.prefix}${origin}-${key.kid.slice(0, 6)}${VERIFY_ONLY}`;
  await writeSecretFile(join(folder.path, file), text);
  return { file, state: 'verify-only', key: { ...key, sign: undefined } };
}

/** The key signs no more; what it has signed stays good. Throws `not-found`, `conflict`. */
export async function retireKey(folder: KeyFolder, kid: string): Promise<KeyFile> {
  const files = await readKeyFolder(folder);
  const found = findKey(files, kid);
  if (found.state === 'verify-only') return found;
  requireOther(files, found, 'retired');
  const file = `${found.file}${VERIFY_ONLY}`;
  await rename(join(folder.path, found.file), join(folder.path, file));
  return { ...found, file, state: 'verify-only' };
}

/** The key is gone, and what it has signed is worthless. Throws `not-found`, `conflict`. */
export async function removeKey(folder: KeyFolder, kid: string): Promise<KeyFile> {
  const files = await readKeyFolder(folder);
  const found = findKey(files, kid);
  if (found.state === 'active') requireOther(files, found, 'removed');
  await rm(join(folder.path, found.file));
  return found;
}

/** Written beside and renamed: who reads it finds all of it or nothing, and never a mode too wide. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const temporary = `${path.slice(0, path.lastIndexOf('/'))}/.new-${randomUUID()}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

async function keyFileNames({ path, prefix }: KeyFolder): Promise<readonly string[]> {
  const names = await readdir(path).catch((cause: unknown) => {
    throw toFlywheelError(cause, `read the folder of token keys ${path}`);
  });
  // Dots: what is being written, and the links of a mounted Secret.
  return names.filter((name) => name.startsWith(prefix) && !name.startsWith('.')).toSorted();
}

async function readKey(path: string): Promise<TokenKey> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new FlywheelError('invalid-input', 'it is too large for a key');
    return parseTokenKey(await readFile(path, 'utf8'));
  } catch (cause) {
    const error = toFlywheelError(cause);
    throw new FlywheelError(error.code, `the token key ${path}: ${error.message}`, {
      cause,
      details: isFlywheelError(cause) ? cause.details : {},
    });
  }
}

function findKey(files: readonly KeyFile[], kid: string): KeyFile {
  const found = files.find((each) => each.key.kid === kid || each.file === kid);
  if (found !== undefined) return found;
  throw new FlywheelError('not-found', `there is no token key ${kid}`, {
    details: { hint: './flywheel cache key list shows them' },
  });
}

function requireOther(files: readonly KeyFile[], key: KeyFile, done: string): void {
  if (files.some((each) => each !== key && each.state === 'active')) return;
  throw new FlywheelError('conflict', `the only key that signs cannot be ${done}`, {
    details: { hint: 'add another first: ./flywheel cache key add' },
  });
}
