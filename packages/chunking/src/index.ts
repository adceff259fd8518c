export { Chunker, checkChunkSizes, DEFAULT_CHUNK_SIZES } from './chunker.ts';
export type { ChunkSizes } from './chunker.ts';
export { decodeFrame, DEFAULT_ZSTD_LEVEL, encodeFrame } from './frame.ts';
export {
  decodePackIndex,
  encodePackIndex,
  PACK_FOOTER_BYTES,
  packIndexLength,
} from './pack-index.ts';
export type { ForeignChunk, PackedFrame, PackIndex } from './pack-index.ts';
export {
  decodeSegments,
  encodeSegments,
  SegmentList,
  sliceSegments,
  totalLength,
} from './segments.ts';
export type { Segment } from './segments.ts';
