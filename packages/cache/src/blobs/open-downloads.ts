import type { Readable } from 'node:stream';
import { FlywheelError } from '@flywheel/base';

/** A download in progress: whoever reads on at `position` is served from it. */
export interface Download {
  readonly key: string;
  readonly stream: Readable;
  readonly pieces: AsyncIterator<Buffer>;
  position: number;
  /** Where its request ends. */
  readonly end: number;
  rest: Buffer;
}

/**
 * Downloads that were left in the middle and may be read on. Each holds a connection and what the
 * kernel has buffered, so there are few, over all packs: the one left longest ago gives way.
 */
export class OpenDownloads {
  readonly #capacity: number;
  #idle: Download[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Takes out one of this key that is at `offset`, or at most `skip` bytes before it: two readers
   * must not share one.
   */
  take(key: string, offset: number, skip: number): Download | undefined {
    const isAt = (each: Download, atMost: number): boolean =>
      each.key === key && each.position <= offset && offset <= each.position + atMost;
    const exact = this.#idle.findLastIndex((each) => isAt(each, 0));
    const index =
      exact === -1
        ? this.#idle.findLastIndex((each) => offset < each.end && isAt(each, skip))
        : exact;
    return index === -1 ? undefined : this.#idle.splice(index, 1)[0];
  }

  /** Puts one back after a read. */
  keep(download: Download): void {
    if (download.position === download.end || download.stream.destroyed) {
      // Read to its end, or its connection could not serve the next request.
      void download.pieces.next().catch(() => {});
      return;
    }
    this.#idle.push(download);
    if (this.#idle.length > this.#capacity) this.#idle.shift()?.stream.destroy();
  }

  /** Ends those of a key. */
  drop(key: string): void {
    for (const { stream } of this.#idle.filter((each) => each.key === key)) stream.destroy();
    this.#idle = this.#idle.filter((each) => each.key !== key);
  }
}

/** Moves what has arrived into the buffer; waits for the next piece when nothing has. */
export async function readSome(download: Download, into: Uint8Array): Promise<number> {
  const piece = (await nextPiece(download)).subarray(0, into.length);
  into.set(piece);
  advance(download, piece.length);
  return piece.length;
}

/** Reads on to `offset` and forgets what is before it. */
export async function skipTo(download: Download, offset: number): Promise<void> {
  while (download.position < offset) {
    const piece = await nextPiece(download);
    advance(download, Math.min(piece.length, offset - download.position));
  }
}

async function nextPiece(download: Download): Promise<Buffer> {
  if (download.rest.length === 0) {
    const next = await download.pieces.next();
    if (next.done === true) throw new FlywheelError('unavailable', 'the answer ended early');
    download.rest = next.value;
  }
  return download.rest;
}

function advance(download: Download, bytes: number): void {
  download.rest = download.rest.subarray(bytes);
  download.position += bytes;
}
