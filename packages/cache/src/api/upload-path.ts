import { createHash } from 'node:crypto';
import { freeingPieces, type ByteStream } from '@flywheel/base';
import type { Nar, ObjectInput } from '../db/metadata.ts';
import { areNarPacksThere } from '../store/find-intact-chunks.ts';
import { checkNar, ingestNar } from '../store/ingest-nar.ts';
import { countUpload } from '../metrics/figures.ts';
import { withUpload } from '../store/with-upload.ts';
import { auditOften } from './audit.ts';
import { authorize } from './authorize.ts';
import type { ApiParts } from './parts.ts';
import { awaitUploadAllowance } from './rate-limit.ts';
import type { Handler } from './router.ts';
import { checkStorePath, readUploadInfo, type UploadInfo } from './upload-info.ts';

interface UploadReply {
  readonly kind: 'Uploaded' | 'Deduplicated';
  readonly file_size?: number;
  readonly frac_deduplicated: number | null;
}

/** PUT /_api/v1/upload-path: one path, its plain NAR as the body. */
export function uploadPath(parts: ApiParts): Handler {
  return async (c) => {
    const { info, nar } = await readUploadInfo(c, parts.settings.maxNarInfoSize);
    const { cache, claims } = await authorize(parts, c, info.cache, 'push');
    checkStorePath(info, cache);
    await awaitUploadAllowance(parts, c);
    const object: ObjectInput = {
      cacheId: cache.id,
      storePathHash: info.storePathHash,
      storePath: info.storePath,
      references: info.references,
      deriver: info.deriver,
      system: info.system,
      sigs: info.sigs,
      ca: info.ca,
      createdBy: claims?.subject,
    };
    // The lock first: those who wait for the same NAR must not take the places of others.
    const reply = await parts.narLocks.run(info.narHash, () =>
      parts.uploads.run(() => storePath(parts, info, object, freeingPieces(nar))),
    );
    parts.objects.delete(cache.id, info.storePathHash);
    parts.uses.noteReferences(object);
    const kind = reply.kind === 'Uploaded' ? 'uploaded' : 'deduplicated';
    countUpload(parts.figures, kind, info.narSize, reply.frac_deduplicated ?? 1);
    auditOften(parts, c, { action: 'push', cache: cache.name, target: info.storePath });
    return c.json(reply);
  };
}

function storePath(
  parts: ApiParts,
  info: UploadInfo,
  object: ObjectInput,
  body: ByteStream,
): Promise<UploadReply> {
  const { metadata } = parts.store;
  const use = { object };
  return withUpload(metadata, info.narHash, async ({ lease, nar: present }) => {
    if (present !== undefined && (await areNarPacksThere(parts.store, present))) {
      await provePossession(present, info, body);
      await metadata.useNar(present.id, use, lease);
      return { kind: 'Deduplicated', file_size: present.fileSize, frac_deduplicated: null };
    }
    const { nar, deduplicated } = await ingestNar(parts.store, {
      body,
      lease,
      expected: { hash: info.narHash, size: info.narSize },
      origin: JSON.stringify({ ...object, cacheId: undefined, cache: info.cache }),
      use,
    });
    return { kind: 'Uploaded', file_size: nar.fileSize, frac_deduplicated: deduplicated };
  });
}

/**
 * Knowing a hash is not having the data: without reading the body, anybody with push rights on one
 * cache could fetch any other cache's NARs by their hashes.
 */
async function provePossession(present: Nar, info: UploadInfo, body: ByteStream): Promise<void> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of body) {
    hash.update(piece);
    size += piece.length;
  }
  const actual = { hash: hash.digest(), size };
  checkNar({ hash: info.narHash, size: info.narSize }, actual);
  checkNar({ hash: present.hash, size: present.size }, actual);
}
