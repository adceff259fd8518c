import type { ChunkLocation, Nar } from '../db/metadata.ts';
import type { NarStore } from './nar-store.ts';

/** Packs that turn out to be gone, one after the other, while a batch is looked up. */
const ATTEMPTS = 4;

/**
 * Chunks that the store has and whose packs are there. One that is not is found out by this, which
 * makes its chunks unknown: the upload then stores them anew rather than refer to nothing.
 */
export async function findIntactChunks(
  { metadata, packs }: Pick<NarStore, 'metadata' | 'packs'>,
  hashes: readonly Buffer[],
): Promise<readonly ChunkLocation[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const chunks = await metadata.findChunks(hashes);
    if (await packs.areThere([...new Set(chunks.map(({ pack }) => pack))])) return chunks;
  }
  return [];
}

/** Whether the packs of a NAR are there; if not, it has become absent. */
export function areNarPacksThere({ packs }: Pick<NarStore, 'packs'>, nar: Nar): Promise<boolean> {
  return packs.areThere([...new Set(nar.segments.map(({ pack }) => pack))]);
}
