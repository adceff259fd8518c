import { createHash } from 'node:crypto';
import { drain, FlywheelError } from '@flywheel/base';
import type { NarInfo } from '@flywheel/nix';
import type { ObjectInput } from '../db/metadata.ts';
import { ingestNar } from '../store/ingest-nar.ts';
import type { NarStore } from '../store/nar-store.ts';
import { withUpload } from '../store/with-upload.ts';

/** Somebody who gets the plain NAR while it is on its way into the store. Never throws. */
export interface NarListener {
  /** Resolves when more may come. */
  write(piece: Uint8Array): Promise<void>;
  /** All of it has come and is what was promised. Not called otherwise. */
  complete(): Promise<void>;
}

export interface PullRequest {
  readonly info: NarInfo;
  readonly object: ObjectInput;
  /** The plain NAR, unverified. */
  readonly nar: AsyncGenerator<Uint8Array>;
  readonly origin: string;
  readonly listener: NarListener;
}

/**
 * Takes a NAR from an upstream into the store as if it had been pushed, except that a path which is
 * there by now stays as it is. The listener hears it to its end even when the store cannot take it.
 * Throws `corrupt` when it is not what its narinfo says; nothing is stored then.
 */
export async function pullNar(store: NarStore, request: PullRequest): Promise<void> {
  const { info, object, origin } = request;
  const source = checked(request);
  const use = { object, onlyIfAbsent: true };
  try {
    await withUpload(store.metadata, info.narHash, async ({ lease, nar: present }) => {
      const body = shared(source);
      if (present === undefined) {
        const expected = { hash: info.narHash, size: info.narSize };
        await ingestNar(store, { body, lease, expected, origin, use });
        return;
      }
      // Also what the store has: only whoever has the bytes may have the path.
      await drain(body);
      await store.metadata.useNar(present.id, use, lease);
    });
  } catch (error) {
    await drain(source).catch(() => {});
    throw error;
  } finally {
    await source.return(undefined).catch(() => {});
  }
}

/** Leaving a loop over it early does not end it. */
function shared(source: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) };
}

async function* checked({ info, nar, listener }: PullRequest): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of nar) {
    size += piece.length;
    if (size > info.narSize) break;
    hash.update(piece);
    await listener.write(piece);
    yield piece;
  }
  if (size !== info.narSize || !hash.digest().equals(info.narHash)) {
    throw new FlywheelError(
      'corrupt',
      `what came as ${info.storePath} is not what its narinfo says`,
    );
  }
  await listener.complete();
}
