import { FlywheelError } from '@flywheel/base';
import { sliceSegments, type Segment } from '@flywheel/chunking';
import type { BlobReader } from '../blobs/blobs.ts';
import type { Nar, Pack } from '../db/metadata.ts';
import type { NarStore } from './nar-store.ts';

/** A NAR whose packs are all there, open for reading. Close it. */
export interface OpenNar {
  /** Reads `[start, end)` of the compressed bytes, in order, in pieces of up to 512 KiB. */
  read(start: number, end: number): AsyncGenerator<Buffer>;
  close(): Promise<void>;
}

/**
 * Opens a NAR. Every pack is looked at before the first byte is promised to anybody: one that is
 * missing or has another size than recorded marks all its NARs damaged, so that they are reported
 * absent and the next push heals them, and throws `corrupt`.
 */
export async function openNar(store: NarStore, nar: Nar): Promise<OpenNar> {
  const ids = [...new Set(nar.segments.map((segment) => segment.pack))];
  const rows = await store.metadata.findPacks(ids);
  const packs = new PackReaders(store, new Map(rows.map((pack) => [pack.id, pack])));
  try {
    for (const id of ids) await packs.reader(id);
  } catch (error) {
    await packs.close();
    throw error;
  }
  return {
    read: (start, end) => readSegments(packs, sliceSegments(nar.segments, start, end)),
    close: () => packs.close(),
  };
}

/** A NAR may lie in thousands of packs; the process has a thousand file descriptors for all. */
const OPEN_PACKS = 8;

/** The packs of one NAR, a few of them open at a time. */
class PackReaders {
  readonly #store: NarStore;
  readonly #packs: ReadonlyMap<number, Pack>;
  readonly #open = new Map<number, BlobReader>();

  constructor(store: NarStore, packs: ReadonlyMap<number, Pack>) {
    this.#store = store;
    this.#packs = packs;
  }

  async reader(id: number): Promise<BlobReader> {
    const open = this.#open.get(id);
    if (open !== undefined) return open;
    const pack = this.#packs.get(id);
    const reader = pack && (await this.#store.blobs.open(pack.key));
    if (reader === undefined || reader.size !== pack?.size) {
      await reader?.close();
      throw await this.#damaged(id, reader?.size);
    }
    if (this.#open.size >= OPEN_PACKS) {
      const [oldest, other] = this.#open.entries().next().value as [number, BlobReader];
      this.#open.delete(oldest);
      await other.close();
    }
    this.#open.set(id, reader);
    return reader;
  }

  async close(): Promise<void> {
    const readers = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(readers.map((reader) => reader.close()));
  }

  async #damaged(id: number, foundBytes: number | undefined): Promise<FlywheelError> {
    const pack = this.#packs.get(id);
    const narsNowMissing = await this.#store.metadata.markPackDamaged(id);
    this.#store.logger.error('a pack is missing or has the wrong size', {
      pack: pack?.key ?? id,
      expectedBytes: pack?.size,
      foundBytes,
      narsNowMissing,
    });
    return new FlywheelError('corrupt', `pack ${pack?.key ?? id} is missing or incomplete`);
  }
}

/**
 * Large enough that system calls do not count, small enough that a hundred slow downloads do not
 * either.
 */
const PIECE_BYTES = 512 * 1024;

async function* readSegments(
  packs: PackReaders,
  segments: readonly Segment[],
): AsyncGenerator<Buffer> {
  for (const { pack, offset, length } of segments) {
    const reader = await packs.reader(pack);
    // One piece is read ahead while the last one is being sent.
    let ahead: Promise<Buffer> | undefined;
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const next = readPiece(reader, offset + at, Math.min(PIECE_BYTES, length - at));
      // Awaited in order below; until then a failure must not count as unhandled.
      next.catch(() => {});
      if (ahead !== undefined) yield await ahead;
      ahead = next;
    }
    if (ahead !== undefined) yield await ahead;
  }
}

async function readPiece(reader: BlobReader, offset: number, length: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafeSlow(length);
  await reader.read(piece, offset);
  return piece;
}
