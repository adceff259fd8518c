import { fingerprint, formatNarInfo, parseStorePath } from '@flywheel/nix';
import type { UpstreamPath } from '../upstream/upstreams.ts';
import type { LiveCache } from './cache-directory.ts';
import { keptSignatures } from './kept-signatures.ts';
import type { Reply } from './reply.ts';
import { visibilityHeader } from './visibility.ts';

/**
 * The narinfo of a path that is still upstream, as it will be when it is stored, so that a client may
 * keep it: our URL and our compression. Only the size of the download nobody knows yet.
 */
export function upstreamNarInfo(cache: LiveCache, { info }: UpstreamPath): Reply {
  const ours = cache.key.sign(fingerprint(info));
  const { fileHash: _hash, fileSize: _size, ...rest } = info;
  const text = formatNarInfo({
    ...rest,
    url: `nar/${parseStorePath(info.storePath).hash}.nar`,
    compression: 'zstd',
    references: [...new Set(info.references)].toSorted(),
    sigs: [ours, ...keptSignatures(info.sigs).filter((sig) => sig !== ours)],
  });
  const body = Buffer.from(text).toString('latin1');
  return {
    status: 200,
    headers: [
      'Content-Type',
      'text/x-nix-narinfo',
      'Content-Length',
      String(body.length),
      ...Object.entries(visibilityHeader(cache)).flat(),
    ],
    body,
  };
}
