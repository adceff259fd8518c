import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstat as fstatWithCallback,
  fstatSync,
  open as openWithCallback,
  openSync,
  read as readWithCallback,
  readSync,
} from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import {
  isBlobKey,
  type BlobEntry,
  type BlobReader,
  type Blobs,
  type BlobWriter,
} from './blobs.ts';
import { DiskGuess } from './disk-guess.ts';

/**
 * Blobs in a folder: `packs/<xx>/<name>.pack`, written under `tmp/` and renamed into place when
 * complete and on disk, so that a file under `packs/` is never half of one.
 */
export async function openFolderBlobs(root: string): Promise<Blobs> {
  const packs = join(root, 'packs');
  const temporary = join(root, 'tmp');
  const disk = new DiskGuess();
  const placeOf = (key: string): string =>
    isBlobKey(key, 'snapshots') ? join(root, key) : join(packs, key);
  const unfinished = (key: string): string => join(temporary, basename(key));
  try {
    await mkdir(packs, { recursive: true });
    await mkdir(temporary, { recursive: true });
  } catch (error) {
    throw toFlywheelError(error, `create the folder for packs ${root}`);
  }

  return {
    async create(key) {
      const path = unfinished(key);
      const handle = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY);
      return new FolderWriter(handle, path, placeOf(key));
    },

    async open(key) {
      return isBlobKey(key) ? openFile(placeOf(key), key, disk) : undefined;
    },

    async remove(key) {
      await removeFile(placeOf(key));
    },

    async *list(kind = 'packs'): AsyncGenerator<BlobEntry> {
      const parent = kind === 'packs' ? packs : root;
      for (const folder of await readdir(parent, { withFileTypes: true })) {
        if (!folder.isDirectory() || (kind !== 'packs' && folder.name !== kind)) continue;
        for (const name of await readdir(join(parent, folder.name))) {
          const key = `${folder.name}/${name}`;
          if (!isBlobKey(key, kind)) continue;
          const found = await stat(placeOf(key)).catch(() => undefined);
          if (found !== undefined) yield { key, size: found.size, modifiedMs: found.mtimeMs };
        }
      }
    },

    async discard(key) {
      await removeFile(unfinished(key));
      await removeFile(placeOf(key));
    },

    async removeLeftovers(olderThanMs) {
      const before = Date.now() - olderThanMs;
      let removed = 0;
      for (const name of await readdir(temporary)) {
        const path = join(temporary, name);
        const found = olderThanMs === 0 || (await stat(path).catch(() => undefined));
        if (!found || (found !== true && found.mtimeMs >= before)) continue;
        await removeFile(path);
        removed += 1;
      }
      return removed;
    },

    async probe() {
      const path = join(temporary, randomBytes(12).toString('hex'));
      await (await open(path, 'wx')).close();
      await removeFile(path);
    },
  };
}

/** Not `rm`, which asks what it is first: retention removes a hundred thousand. */
async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/** A file as a blob; undefined when there is none. `key` is what messages call it. */
export async function openFile(
  path: string,
  key: string,
  disk: DiskGuess,
): Promise<BlobReader | undefined> {
  try {
    const { fd, size } = await openToRead(path, disk);
    return new FolderReader(fd, size, key, disk);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw toFlywheelError(error, `open pack ${key}`);
  }
}

class FolderWriter implements BlobWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #target: string;
  #open = true;

  constructor(handle: FileHandle, path: string, target: string) {
    this.#handle = handle;
    this.#path = path;
    this.#target = target;
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    const expected = pieces.reduce((sum, piece) => sum + piece.length, 0);
    try {
      const { bytesWritten } = await this.#handle.writev([...pieces]);
      // POSIX lets a write stop short; on a disk that means that it has just become full.
      if (bytesWritten !== expected) {
        throw new FlywheelError(
          'no-space',
          `the disk took only ${bytesWritten} of ${expected} bytes`,
        );
      }
    } catch (error) {
      throw toFlywheelError(error, 'write a pack');
    }
  }

  async commit(): Promise<void> {
    try {
      // Content first, then the name: after a power cut there is the whole pack or none.
      await this.#handle.datasync();
      await this.#close();
      await mkdir(dirname(this.#target), { recursive: true });
      await rename(this.#path, this.#target);
    } catch (error) {
      throw toFlywheelError(error, 'finish a pack');
    }
  }

  async abort(): Promise<void> {
    await this.#close().catch(() => {});
    await removeFile(this.#path);
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

class FolderReader implements BlobReader {
  readonly size: number;
  readonly #fd: number;
  readonly #key: string;
  readonly #disk: DiskGuess;

  constructor(fd: number, size: number, key: string, disk: DiskGuess) {
    this.#fd = fd;
    this.size = size;
    this.#key = key;
    this.#disk = disk;
  }

  async read(into: Uint8Array, offset: number): Promise<void> {
    let filled = 0;
    while (filled < into.length) {
      const place = [into, filled, into.length - filled, offset + filled] as const;
      const bytesRead = await this.#disk.run(
        () => readSync(this.#fd, ...place),
        async () => (await readInThread(this.#fd, ...place)).bytesRead,
      );
      if (bytesRead === 0) {
        throw new FlywheelError('corrupt', `pack ${this.#key} ends at byte ${offset + filled}`);
      }
      filled += bytesRead;
    }
  }

  async close(): Promise<void> {
    closeSync(this.#fd);
  }
}

const openInThread = promisify(openWithCallback);
const readInThread = promisify(readWithCallback);
const statInThread = promisify(fstatWithCallback);

/** Descriptors and not file handles, which have no operations that are done at once. */
function openToRead(path: string, disk: DiskGuess): Promise<{ fd: number; size: number }> {
  return disk.run(
    () => {
      const fd = openSync(path, constants.O_RDONLY);
      return { fd, size: fstatSync(fd).size };
    },
    async () => {
      const fd = await openInThread(path, constants.O_RDONLY);
      return { fd, size: (await statInThread(fd, { bigint: false })).size };
    },
  );
}

/** Where the file of a blob is, below the root. */
export function packPath(key: string): string {
  return `packs/${key}`;
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT';
}
