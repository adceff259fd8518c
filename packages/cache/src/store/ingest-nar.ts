import { createHash } from 'node:crypto';
import { FlywheelError, isFlywheelError, type ByteStream } from '@flywheel/base';
import type { Chunker } from '@flywheel/chunking';
import { formatSha256, NarParser, narListing } from '@flywheel/nix';
import type { BlobWriter } from '../blobs/blobs.ts';
import type { Nar, NarUse } from '../db/metadata.ts';
import { LEASE_MS } from '../db/leases.ts';
import { compressText } from './compress-text.ts';
import { findIntactChunks } from './find-intact-chunks.ts';
import { PackBuilder } from './pack-builder.ts';
import type { NarStore } from './nar-store.ts';
import { packKeyOf } from './pack-key.ts';

export interface IngestRequest {
  /** The plain NAR. */
  readonly body: ByteStream;
  /** A lease from Metadata.beginUpload, renewed here while bytes arrive. */
  readonly lease: string;
  /** What the uploader says the NAR is; checked before anything becomes visible. */
  readonly expected?: { readonly hash: Buffer; readonly size: number };
  /** JSON about the path, kept in the pack so that the store can be rebuilt from its blobs. */
  readonly origin: string;
  readonly use: NarUse;
}

export interface Ingested {
  readonly nar: Nar;
  /** Share of the NAR's bytes that were stored already, 0 to 1. */
  readonly deduplicated: number;
}

/**
 * Streams a NAR into the store: cut, deduplicated, compressed, verified, and committed as one pack
 * in one transaction. Memory is bounded whatever its size. On any failure nothing remains but,
 * after a kill, an unfinished file that the next start removes.
 *
 * Throws `invalid-input` when hash or size are not as expected, `corrupt` for a malformed NAR.
 */
export async function ingestNar(store: NarStore, request: IngestRequest): Promise<Ingested> {
  const key = packKeyOf(request.lease);
  const writer = await store.blobs.create(key);
  const builder = new PackBuilder({
    writer,
    findChunks: (hashes) => findIntactChunks(store, hashes),
    frames: store.frames,
  });
  try {
    return await store.chunkers.use((chunker) =>
      writePack(store, request, { key, writer, builder, chunker }),
    );
  } catch (error) {
    await builder.abandon();
    await writer.abort();
    throw error;
  }
}

interface NewPack {
  readonly key: string;
  readonly writer: BlobWriter;
  readonly builder: PackBuilder;
  readonly chunker: Chunker;
}

async function writePack(
  store: NarStore,
  { body, lease, expected, origin, use }: IngestRequest,
  { key, writer, builder, chunker }: NewPack,
): Promise<Ingested> {
  const { metadata, clock } = store;
  const listing = narListing();
  const parser = new NarParser(listing.handler);
  const narHash = createHash('sha256');
  const limit = expected?.size ?? Number.POSITIVE_INFINITY;
  let narSize = 0;
  let renewedAt = clock.now();

  for await (const received of body) {
    // Attic reads exactly the declared size and ignores what follows; so do we.
    const piece = received.subarray(0, limit - narSize);
    if (piece.length === 0) continue;
    narSize += piece.length;
    narHash.update(piece);
    parser.write(piece);
    for (const chunk of chunker.push(piece)) await builder.add(chunk);
    if (clock.now() - renewedAt > LEASE_MS / 4) {
      await metadata.renewLease(lease);
      renewedAt = clock.now();
    }
  }
  for (const chunk of chunker.finish()) await builder.add(chunk);

  const hash = narHash.digest();
  if (expected !== undefined) checkNar(expected, { hash, size: narSize });
  parser.end();
  const pack = await builder.finish(hash, narSize, origin);
  const listingBody = await compressText(JSON.stringify(listing.listing()));
  // Durable before it is known: a database row never points at bytes that a crash can take away.
  await writer.commit();
  const { nar, adopted } = await metadata
    .commitNar(
      {
        lease,
        hash,
        size: narSize,
        pack: { key, size: pack.size },
        chunks: pack.chunks,
        segments: pack.segments,
        fileSize: pack.fileSize,
        listing: listingBody,
      },
      use,
    )
    .catch(async (error: unknown) => {
      // Only when the store itself refused: after a lost connection the commit may have happened,
      // and the blob of a lease without a commit is found by `reclaim` anyway.
      if (isFlywheelError(error)) await store.blobs.remove(key);
      throw error;
    });
  if (adopted) return { nar, deduplicated: narSize === 0 ? 0 : pack.reusedBytes / narSize };
  // Somebody else was first with the same NAR.
  await store.blobs.remove(key);
  return { nar, deduplicated: 1 };
}

/** Throws `invalid-input`, saying which of size and hash differs and what that usually means. */
export function checkNar(
  expected: { readonly hash: Buffer; readonly size: number },
  actual: { readonly hash: Buffer; readonly size: number },
): void {
  if (actual.size < expected.size) {
    throw new FlywheelError(
      'invalid-input',
      `Bad NAR Hash or Size: the body ended after ${actual.size} of ${expected.size} bytes; a proxy in between may limit the size or time of requests`,
    );
  }
  if (actual.size > expected.size) {
    throw new FlywheelError(
      'invalid-input',
      `Bad NAR Hash or Size: the body has more than the ${expected.size} bytes that were announced`,
    );
  }
  if (!actual.hash.equals(expected.hash)) {
    throw new FlywheelError(
      'invalid-input',
      `Bad NAR Hash or Size: the body hashes to ${formatSha256(actual.hash, 'hex')}, not to ${formatSha256(expected.hash, 'hex')}`,
    );
  }
}
