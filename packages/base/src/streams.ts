import { FlywheelError } from './error.ts';

/** Bytes in order, in pieces of any size. What a Node stream, a generator and a fetch body share. */
export type ByteStream = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The whole stream in one buffer. `limit` (bytes) keeps a hostile sender from filling memory. */
export async function collect(stream: ByteStream, limit: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of limitBytes(stream, limit)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Passes a stream on, and throws `too-large` when it exceeds `limit` bytes. */
export async function* limitBytes(stream: ByteStream, limit: number): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const piece of stream) {
    seen += piece.length;
    if (seen > limit) {
      throw new FlywheelError('too-large', `more than the ${limit} bytes allowed here`);
    }
    yield piece;
  }
}

/** Reads to the end, keeps nothing, and returns how many bytes went by. */
export async function drain(stream: ByteStream): Promise<number> {
  let seen = 0;
  for await (const piece of stream) seen += piece.length;
  return seen;
}

/**
 * The same pieces, each one's memory returned when the next is asked for: for readers that are done
 * with a piece by then. Left to the garbage collector, 60 MB of them pile up before it looks.
 *
 * Only a piece that is alone in its ArrayBuffer is freed. The stream's source must not want it again.
 */
export async function* freeingPieces(stream: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const piece of stream) {
    yield piece;
    freePiece(piece);
  }
}

/** Returns a buffer's memory at once if it is alone in its ArrayBuffer, and leaves it empty. */
export function freePiece({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
