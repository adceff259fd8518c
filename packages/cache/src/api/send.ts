import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/**
 * Writes pieces to a response whose head is set, at the client's speed, and ends it. A client that
 * hangs up ends the reading, quietly: that is its right. A failure of the source cuts the
 * connection, so that the client sees a broken body and not a short one, and is thrown.
 */
export async function sendPieces(
  outgoing: ServerResponse,
  pieces: AsyncGenerator<Uint8Array>,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  try {
    for await (const piece of pieces) {
      if (outgoing.destroyed) return;
      if (!outgoing.write(piece)) await once(outgoing, 'drain', { signal: gone.signal });
    }
    outgoing.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    outgoing.destroy();
    throw error;
  }
}
