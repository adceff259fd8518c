import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { FlywheelError, messageOf, toFlywheelError } from '@flywheel/base';
import { decodeFileName, encodeFileName } from '@flywheel/nix';
import type { NarNode } from '@flywheel/nix';

/** Files up to this size are read at once; a round trip to libuv's threads would cost more. */
const SMALL_FILE_BYTES = 64 * 1024;
const PIECE_BYTES = 256 * 1024;

// Should a link or a FIFO have taken the file's place: neither follow the one nor wait for the other.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** In Nix's sense only the owner's bit counts. */
const EXECUTABLE_BIT = 0o100;

/**
 * A file, folder or symlink as `encodeNar` wants it, in the order and with the details that Nix
 * keeps. Folders are listed and files opened when the NAR gets to them; links are not followed.
 * Throws `not-found` and the like with the path, now for `path` itself and later for what is below
 * it; `unsupported` for devices, sockets and FIFOs, and `conflict` for a file that is not any more
 * what it was when its folder was listed.
 */
export function narOfPath(path: string): NarNode {
  return nodeOf(encodeFileName(path));
}

function nodeOf(path: Buffer): NarNode {
  const stats = attempt('read', path, () => lstatSync(path));
  if (stats.isDirectory()) return { type: 'directory', entries: () => entriesOf(path) };
  if (stats.isSymbolicLink()) {
    const target = attempt('read the link', path, () => readlinkSync(path, { encoding: 'buffer' }));
    return { type: 'symlink', target };
  }
  if (stats.isFile()) {
    return {
      type: 'regular',
      executable: (stats.mode & EXECUTABLE_BIT) !== 0,
      size: stats.size,
      contents: () =>
        stats.size <= SMALL_FILE_BYTES ? smallContents(path, stats) : contents(path, stats),
    };
  }
  throw new FlywheelError(
    'unsupported',
    `${decodeFileName(path)} is neither a file, a folder nor a symlink: a NAR cannot hold it`,
  );
}

function* entriesOf(folder: Buffer): Generator<readonly [Buffer, NarNode]> {
  const names = attempt('list', folder, () => readdirSync(folder, { encoding: 'buffer' }));
  for (const name of names.sort((a, b) => Buffer.compare(a, b))) {
    yield [name, nodeOf(Buffer.concat([folder, SLASH, name]))];
  }
}

function* smallContents(path: Buffer, expected: Stats): Generator<Uint8Array> {
  const file = attempt('open', path, () => openSync(path, OPEN_FLAGS));
  try {
    // One byte more than expected, so that a file that grew is noticed.
    const buffer = Buffer.allocUnsafe(expected.size + 1);
    let filled = 0;
    while (filled < buffer.length) {
      const offset = filled;
      const read = attempt('read', path, () =>
        readSync(file, buffer, offset, buffer.length - offset, null),
      );
      if (read === 0) break;
      filled += read;
    }
    checkSize(path, expected.size, filled);
    yield buffer.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

async function* contents(path: Buffer, expected: Stats): AsyncGenerator<Uint8Array> {
  const file = await open(path, OPEN_FLAGS).catch((error: unknown) => {
    throw failed('open', path, error);
  });
  try {
    let seen = 0;
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
      const { bytesRead } = await file.read(buffer).catch((error: unknown) => {
        throw failed('read', path, error);
      });
      if (bytesRead === 0) break;
      seen += bytesRead;
      if (seen > expected.size) break;
      yield buffer.subarray(0, bytesRead);
    }
    checkSize(path, expected.size, seen);
  } finally {
    await file.close();
  }
}

function checkSize(path: Buffer, expected: number, seen: number): void {
  if (seen === expected) return;
  const found = seen > expected ? 'grew' : `shrank to ${seen} bytes`;
  throw new FlywheelError(
    'conflict',
    `${decodeFileName(path)} had ${expected} bytes and ${found} while it was read`,
    { details: { hint: 'try again when nothing writes to it' } },
  );
}

function attempt<T>(what: string, path: Buffer, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failed(what, path, error);
  }
}

function failed(what: string, path: Buffer, error: unknown): FlywheelError {
  const { code } = error as NodeJS.ErrnoException;
  // ELOOP: O_NOFOLLOW met a link; ENOTDIR: what was a folder is none any more.
  if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'ENXIO') {
    return new FlywheelError(
      'conflict',
      `${decodeFileName(path)} was replaced while it was read: ${messageOf(error)}`,
      { cause: error },
    );
  }
  // Node writes the path of an error itself, but as UTF-8, which a name need not be.
  return toFlywheelError(error, `cannot ${what} ${decodeFileName(path)}`);
}

const SLASH = Buffer.from('/');
