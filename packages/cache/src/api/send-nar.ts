import type { ServerResponse } from 'node:http';
import type { OpenNar } from '../store/open-nar.ts';
import type { ByteRange } from './range.ts';

/**
 * A download costs two turns of the event loop a buffer: 512 KiB was measured to be fastest on one
 * connection; 64 KiB takes three times as long, 1 MiB is no faster and falls out of the cache.
 */
const BUFFER_BYTES = 512 * 1024;

/** Kept for the next download: fresh memory costs a page fault each 4 KiB. */
const spare: Buffer[] = [];
const MAX_SPARE = 16;

/**
 * Sends a part of a NAR as the body of a response whose head is set, at the client's speed: one
 * buffer is filled while the other is written. A client that hangs up ends it, quietly: that is its
 * right. A failing read cuts the connection, so that the client sees a broken body and not a short
 * one, and is thrown. A client that takes nothing for `patienceMs` is cut: it holds a MiB here.
 */
export async function sendNar(
  outgoing: ServerResponse,
  nar: OpenNar,
  { start, end }: ByteRange,
  patienceMs: number,
): Promise<void> {
  // Node starts anew with each byte that leaves, and after the answer waits for the next request.
  outgoing.setTimeout(patienceMs, () => outgoing.destroy());
  const buffers = [takeBuffer(), takeBuffer()] as const;
  let written: Promise<unknown> = Promise.resolve();
  try {
    for (let at = start, turn = 0; at < end; at += BUFFER_BYTES, turn = 1 - turn) {
      const piece = (buffers[turn] as Buffer).subarray(0, Math.min(BUFFER_BYTES, end - at));
      await nar.read(piece, at);
      await written;
      if (outgoing.destroyed) return;
      written = write(outgoing, piece);
    }
    // Before the last piece has left: a small NAR is then one system call, head and all.
    outgoing.end();
    await written;
    // Only now: after an abort the kernel may still be reading from them.
    spare.push(...buffers.slice(0, Math.max(0, MAX_SPARE - spare.length)));
  } catch (error) {
    // Whose socket is closed has hung up; the failed write only tells us so.
    if (outgoing.destroyed || outgoing.socket?.destroyed === true) return;
    outgoing.destroy();
    throw error;
  } finally {
    written.catch(() => {});
  }
}

function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

/**
 * Resolves when the piece has left the process, so that its memory may be used again. Rejects when the
 * connection is gone: of a piece that it still holds then, Node says nothing. Rubbish behind a request
 * was enough, as a body of a GET without its length is.
 */
function write(outgoing: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the connection was closed'));
    outgoing.once('close', gone);
    outgoing.write(piece, (error) => {
      outgoing.off('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}
