/**
 * A NAR as stored: byte ranges of packs, in order. Concatenated, they are a valid zstd stream of
 * the NAR, so serving it is copying bytes.
 */
export interface Segment {
  /** Row id of the pack. */
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
}

/** Collects segments in NAR order and merges neighbours. */
export class SegmentList {
  readonly #segments: { pack: number; offset: number; length: number }[] = [];

  add(segment: Segment): void {
    const last = this.#segments.at(-1);
    if (last?.pack === segment.pack && last.offset + last.length === segment.offset) {
      last.length += segment.length;
    } else {
      this.#segments.push({ ...segment });
    }
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }
}

/** Bytes of all segments: the NAR's compressed size, FileSize and Content-Length. */
export function totalLength(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.length, 0);
}

/** The part `[start, end)` of the concatenation, for range requests. */
export function sliceSegments(
  segments: readonly Segment[],
  start: number,
  end: number,
): readonly Segment[] {
  const slice: Segment[] = [];
  let position = 0;
  for (const segment of segments) {
    const from = Math.max(start, position);
    const to = Math.min(end, position + segment.length);
    if (from < to) {
      slice.push({
        pack: segment.pack,
        offset: segment.offset + (from - position),
        length: to - from,
      });
    }
    position += segment.length;
    if (position >= end) break;
  }
  return slice;
}

// In the database: a JSON array of [pack, offset, length], short and readable in a console.

export function encodeSegments(segments: readonly Segment[]): string {
  return JSON.stringify(segments.map(({ pack, offset, length }) => [pack, offset, length]));
}

export function decodeSegments(text: string): readonly Segment[] {
  const rows = JSON.parse(text) as [number, number, number][];
  return rows.map(([pack, offset, length]) => ({ pack, offset, length }));
}
