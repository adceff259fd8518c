import { SegmentList, totalLength } from '@flywheel/chunking';
import type { ChunkLocation, Pack } from '../db/metadata.ts';
import type { FoundNar } from '../db/rebuild-rows.ts';
import type { PackContents } from '../store/pack-frames.ts';

/** What lies in a pack, for uploads to find. */
export function chunksIn({ frames }: PackContents, pack: number): readonly ChunkLocation[] {
  return frames.map(({ offset, frame: { hash, size, length } }) => ({
    hash,
    size,
    length,
    offset,
    pack,
  }));
}

/**
 * Where the NAR that a pack describes lies, given where the chunks of other packs do. Undefined when
 * one of those is nowhere, or the pack stands for no NAR, see copyLiveFrames.
 */
export function locateNar(
  { index, frames }: PackContents,
  pack: Pack,
  foreign: readonly ChunkLocation[],
): FoundNar | undefined {
  if (index.narSize === 0) return undefined;
  const elsewhere = new Map(foreign.map((chunk) => [chunk.hash.toString('latin1'), chunk]));
  const own = chunksIn({ index, frames }, pack.id);
  const list = new SegmentList();
  for (const position of index.sequence) {
    const { hash } = index.foreign[position - own.length] ?? {};
    const chunk = own[position] ?? elsewhere.get(hash?.toString('latin1') ?? '');
    if (chunk === undefined) return undefined;
    list.add(chunk);
  }
  const frameBytes = own.reduce((sum, { length }) => sum + length, 0);
  const [only, ...more] = list.segments;
  const isWholePack = more.length === 0 && only?.pack === pack.id && only.length === frameBytes;
  // As PackBuilder has it: with its index, so that the NAR is one object.
  const segments = isWholePack ? [{ pack: pack.id, offset: 0, length: pack.size }] : list.segments;
  return { hash: index.narHash, size: index.narSize, fileSize: totalLength(segments), segments };
}
