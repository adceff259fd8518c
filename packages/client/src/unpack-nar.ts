import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import type { ByteStream } from '@flywheel/base';
import { encodeFileName, NarParser } from '@flywheel/nix';
import type { NarFile, NarHandler } from '@flywheel/nix';

/** The time stamp of everything in a Nix store, in seconds since the epoch. */
const STORE_MTIME_S = 1;

// Fails on whatever is there already: two names that differ by case only, on a file system that
// holds them for equal, must not write into each other.
const CREATE_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Unpacks a plain NAR as `target`, whose folder exists and which itself does not. Everything is
 * written beside it under another name and renamed when the stream has ended well, so a stream that
 * throws (damaged, cut, not what was signed) leaves nothing behind. Files get the executable bit,
 * links stay as they are, time stamps are those of a Nix store.
 * Throws `already-exists`, `corrupt` for a malformed NAR, and what the stream throws.
 */
export async function unpackNar(stream: ByteStream, target: string): Promise<void> {
  const path = resolve(target);
  refuseExisting(path);
  const name = `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.partial`;
  const partial = join(dirname(path), name);
  const tree = new TreeWriter(encodeFileName(partial));
  const parser = new NarParser(tree);
  try {
    for await (const piece of stream) parser.write(piece);
    parser.end();
    tree.finishFile();
    refuseExisting(path);
    renameSync(partial, path);
  } catch (error) {
    tree.close();
    await rm(partial, { recursive: true, force: true });
    throw toFlywheelError(error, `unpack ${path}`);
  }
}

function refuseExisting(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    if (existsSync(dirname(path))) return;
    throw new FlywheelError('not-found', `unpack ${path}: its folder does not exist`);
  }
  throw new FlywheelError('already-exists', `unpack ${path}: it exists already`);
}

/**
 * Writes what a NAR says below one root. The parser refuses names with slashes, `.` and `..`, and a
 * name twice in a folder, so no entry can lead through a link that was unpacked before it.
 */
class TreeWriter implements NarHandler {
  /** The root, then the folders that are open. */
  readonly #folders: Buffer[] = [];
  readonly #root: Buffer;
  #file: number | undefined;

  constructor(root: Buffer) {
    this.#root = root;
  }

  directory(name: string): void {
    const path = this.#begin(name);
    mkdirSync(path);
    this.#folders.push(path);
  }

  regular({ name, executable }: NarFile): void {
    const path = this.#begin(name);
    this.#file = openSync(path, CREATE_FLAGS, executable ? 0o777 : 0o666);
  }

  contents(bytes: Uint8Array): void {
    if (this.#file === undefined) return;
    for (let written = 0; written < bytes.length;) {
      written += writeSync(this.#file, bytes, written);
    }
  }

  symlink(name: string, target: string): void {
    const path = this.#begin(name);
    symlinkSync(encodeFileName(target), path);
    lutimesSync(path, STORE_MTIME_S, STORE_MTIME_S);
  }

  leave(): void {
    this.finishFile();
    const folder = this.#folders.pop();
    // Not before: each entry that was made in it has changed its time.
    if (folder !== undefined) lutimesSync(folder, STORE_MTIME_S, STORE_MTIME_S);
  }

  /** The parser says where a file begins, not where it ends: that is where the next thing begins. */
  finishFile(): void {
    if (this.#file !== undefined) futimesSync(this.#file, STORE_MTIME_S, STORE_MTIME_S);
    this.close();
  }

  close(): void {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    closeSync(file);
  }

  #begin(name: string): Buffer {
    this.finishFile();
    const folder = this.#folders.at(-1);
    return folder === undefined ? this.#root : Buffer.concat([folder, SLASH, encodeFileName(name)]);
  }
}

const SLASH = Buffer.from('/');
