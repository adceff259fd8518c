import type { Segment } from '@flywheel/chunking';

/** A segment, and how far reading it goes on in the same pack. */
export interface PlannedSegment extends Segment {
  /** Where the NAR's way through this pack, from here on with small gaps, ends. */
  readonly until: number;
}

/** Where requests are dear, so much that nobody asked for is read rather than asked around. */
const MAX_GAP_BYTES = 128 * 1024;

/**
 * The NAR's way through each of its packs. A new version of a path takes turns between the pack of
 * the old one and its own: each is still read forward, so that one request can serve all of it.
 */
export function planReads(segments: readonly Segment[]): readonly PlannedSegment[] {
  const ahead = new Map<number, { readonly offset: number; readonly until: number }>();
  const planned: PlannedSegment[] = [];
  for (const segment of segments.toReversed()) {
    const end = segment.offset + segment.length;
    const next = ahead.get(segment.pack);
    const goesOn = next !== undefined && next.offset >= end && next.offset - end <= MAX_GAP_BYTES;
    const until = goesOn ? next.until : end;
    ahead.set(segment.pack, { offset: segment.offset, until });
    planned.push({ ...segment, until });
  }
  return planned.reverse();
}
