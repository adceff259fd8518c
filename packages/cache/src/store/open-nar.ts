import { sliceSegments } from '@flywheel/chunking';
import type { Nar } from '../db/metadata.ts';
import type { NarStore } from './nar-store.ts';

/** A NAR whose packs are all there. */
export interface OpenNar {
  /** Fills `into` with the compressed bytes from `position`; what it asks for must exist. */
  read(into: Buffer, position: number): Promise<void>;
}

/**
 * Opens a NAR. Every pack is looked at before the first byte is promised to anybody; throws
 * `corrupt` when one is damaged (see OpenPacks).
 */
export async function openNar({ packs }: NarStore, nar: Nar): Promise<OpenNar> {
  await packs.check([...new Set(nar.segments.map((segment) => segment.pack))]);
  return {
    async read(into, position) {
      let filled = 0;
      const reads = sliceSegments(nar.segments, position, position + into.length).map((segment) => {
        const target = into.subarray(filled, filled + segment.length);
        filled += segment.length;
        return packs.use(segment.pack, (reader) => reader.read(target, segment.offset));
      });
      await Promise.all(reads);
    },
  };
}
