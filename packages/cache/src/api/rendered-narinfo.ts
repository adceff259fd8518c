import { fingerprint, formatNarInfo, isSignature } from '@flywheel/nix';
import type { StoredObject } from '../db/metadata.ts';
import type { LiveCache } from './cache-directory.ts';
import type { KnownObject } from './object-memo.ts';
import type { Reply } from './reply.ts';
import { visibilityHeader } from './visibility.ts';

/** A narinfo ready to be sent, and what of its cache it was made with. */
export interface RenderedNarInfo extends Reply {
  readonly secretKey: string;
  readonly isPublic: boolean;
}

/** The object's narinfo as it is to be sent: made once for each key of the cache, then remembered. */
export function narInfoOf(cache: LiveCache, known: KnownObject): RenderedNarInfo {
  const { secretKey, isPublic } = cache;
  const last = known.narInfo;
  // Another replica may have changed the cache: its key is compared, not its name.
  if (last?.secretKey === secretKey && last.isPublic === isPublic) return last;
  const body = Buffer.from(renderNarInfo(cache, known.object)).toString('latin1');
  const headers = [
    'Content-Type',
    'text/x-nix-narinfo',
    'Content-Length',
    String(body.length),
    ...Object.entries(visibilityHeader(cache)).flat(),
  ];
  return (known.narInfo = { secretKey, isPublic, status: 200, headers, body });
}

/** The narinfo as Nix reads it, signed with the cache's current key. */
export function renderNarInfo(cache: LiveCache, object: StoredObject): string {
  const { nar, storePath, references, deriver, system, ca } = object;
  const signature = cache.key.sign(
    fingerprint({ storePath, narHash: nar.hash, narSize: nar.size, references }),
  );
  return formatNarInfo({
    storePath,
    url: `nar/${object.storePathHash}.nar`,
    compression: 'zstd',
    fileSize: nar.fileSize,
    narHash: nar.hash,
    narSize: nar.size,
    references,
    // Ours first: there are readers that look at one only.
    sigs: [signature, ...object.sigs.filter((sig) => sig !== signature && isSignature(sig))],
    ...(deriver === undefined ? {} : { deriver }),
    ...(system === undefined ? {} : { system }),
    ...(ca === undefined ? {} : { ca }),
  });
}
