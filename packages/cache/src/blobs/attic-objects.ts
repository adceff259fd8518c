import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import type { AtticLocation } from './attic-place.ts';
import type { BlobReader } from './blobs.ts';
import { DiskGuess } from './disk-guess.ts';
import { openFile } from './folder.ts';

/** Attic's objects: read and removed, never written. */
export interface AtticObjects {
  /** Undefined when it is gone. `size` that was seen a moment ago saves looking again. */
  open(name: string, size?: number): Promise<BlobReader | undefined>;
  /** One that is already gone is a success. */
  remove(name: string): Promise<void>;
  /** Bytes of an object; undefined when there is none. */
  sizeOf(name: string): Promise<number | undefined>;
  close(): void;
}

/**
 * Throws `invalid-input` when it is no place of Attic's, `unavailable` when it cannot be reached now.
 */
export async function openAtticObjects(location: AtticLocation): Promise<AtticObjects> {
  if (location.kind === 'folder') return openAtticFolder(location.path);
  return (await import('./attic-bucket.ts')).openAtticBucket(location);
}

/** `<path>/<first character>/<first two>/<name>`, with a file VERSION that contains 1. */
async function openAtticFolder(root: string): Promise<AtticObjects> {
  const version = join(root, 'VERSION');
  const disk = new DiskGuess();
  const placeOf = (name: string): string => join(root, name.slice(0, 1), name.slice(0, 2), name);

  /** A disk that is not mounted must not look like one that has lost everything. */
  async function requireRoot(): Promise<void> {
    if ((await sizeOf(version)) !== undefined) return;
    throw new FlywheelError('unavailable', `${root} is no storage of Attic: it has no VERSION`, {
      details: { hint: 'is its disk mounted, and the path that of `[storage]` in server.toml?' },
    });
  }

  await requireRoot();
  return {
    async open(name) {
      const reader = await openFile(placeOf(name), name, disk);
      if (reader === undefined) await requireRoot();
      return reader;
    },
    remove: (name) => rm(placeOf(name), { force: true }),
    sizeOf: (name) => sizeOf(placeOf(name)),
    close: () => {},
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
