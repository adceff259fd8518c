import { sliceSegments } from '@flywheel/chunking';
import type { BlobReader } from '../blobs/blobs.ts';
import type { Nar } from '../db/metadata.ts';
import type { NarStore } from './nar-store.ts';
import { planReads, type PlannedSegment } from './read-plan.ts';

/** A part of a NAR whose packs are all there. */
export interface OpenNar {
  /** Fills `into` with the compressed bytes from `position` of the NAR, within the part. */
  read(into: Buffer, position: number): Promise<void>;
}

/** A part of a buffer and where its bytes are. */
interface Read {
  readonly target: Buffer;
  readonly offset: number;
  readonly until: number;
}

/** Chunks that compress to nothing, each a pack: a buffer holds thousands of them. */
const PACKS_AT_ONCE = 32;

/**
 * Opens the part `[start, end)` of a NAR. Every pack is looked at before the first byte is promised
 * to anybody; throws `corrupt` when one is damaged (see OpenPacks).
 */
export async function openNar(
  { packs }: NarStore,
  nar: Nar,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<OpenNar> {
  const rows = await packs.check([...new Set(nar.segments.map((segment) => segment.pack))]);
  const plan = planReads(sliceSegments(nar.segments, start, end));
  return {
    async read(into, position) {
      const reads = [...readsByPack(plan, into, position - start)];
      for (let at = 0; at < reads.length; at += PACKS_AT_ONCE) {
        await Promise.all(
          reads
            .slice(at, at + PACKS_AT_ONCE)
            .map(([pack, ofPack]) =>
              packs.use(pack, (reader) => readAll(reader, ofPack), rows.get(pack), true),
            ),
        );
      }
    },
  };
}

async function readAll(reader: BlobReader, reads: readonly Read[]): Promise<void> {
  if (reader.ordered !== true) {
    await Promise.all(reads.map(({ target, offset }) => reader.read(target, offset)));
    return;
  }
  for (const { target, offset, until } of reads) await reader.read(target, offset, until);
}

function readsByPack(
  plan: readonly PlannedSegment[],
  into: Buffer,
  position: number,
): ReadonlyMap<number, readonly Read[]> {
  const reads = new Map<number, Read[]>();
  let filled = 0;
  let start = 0;
  for (const { pack, offset, length, until } of plan) {
    const skipped = Math.max(0, position - start);
    start += length;
    if (skipped >= length) continue;
    const target = into.subarray(filled, filled + length - skipped);
    const read = { target, offset: offset + skipped, until };
    const ofPack = reads.get(pack);
    if (ofPack === undefined) reads.set(pack, [read]);
    else ofPack.push(read);
    filled += target.length;
    if (filled === into.length) break;
  }
  return reads;
}
