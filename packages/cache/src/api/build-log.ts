import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { collect, isFlywheelError, type ByteStream } from '@flywheel/base';
import { isStoreBaseName } from '@flywheel/nix';
import { compressText } from '../store/compress-text.ts';
import { decompress, type Compression } from '../store/decompress.ts';
import { auditOften } from './audit.ts';
import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { awaitUploadAllowance } from './rate-limit.ts';
import { bodyOf } from './request-body.ts';
import type { Handler } from './router.ts';
import { visibilityHeader } from './visibility.ts';

const unpack = promisify(zstdDecompress);

/** Of plain text. Logs live in the database: with a tenth of that when they are packed, it bears them. */
const LOG_LIMIT = 16 * 1024 * 1024;

const ENCODINGS: Readonly<Record<string, Compression>> = {
  identity: 'none',
  zstd: 'zstd',
  br: 'br',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  xz: 'xz',
  bzip2: 'bzip2',
};

/** PUT /{cache}/log/{derivation}: what `nix store copy-log` sends. */
export function putBuildLog(parts: ApiParts): Handler {
  return async (c) => {
    const drv = checkDerivation(c.param('drv'));
    const { cache } = await authorize(parts, c, c.param('cache'), 'push');
    const encoding = c.incoming.headers['content-encoding'] ?? 'identity';
    const compression = ENCODINGS[encoding];
    if (compression === undefined) {
      throw wireError('UnsupportedMediaType', `a log in Content-Encoding ${encoding}`);
    }
    await awaitUploadAllowance(parts, c);
    await parts.uploads.run(async () => {
      const text = await limited(decompress(bodyOf(c), compression));
      await parts.store.metadata.putLog(cache.id, drv, await compressText(text));
    });
    auditOften(parts, c, { action: 'push', cache: cache.name, target: `log/${drv}` });
    return c.body(null, 201);
  };
}

/** GET /{cache}/log/{derivation}, for `nix log`. */
export function getBuildLog(parts: ApiParts): Handler {
  return async (c) => {
    const drv = checkDerivation(c.param('drv'));
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    const packed = await parts.store.metadata.findLog(cache.id, drv);
    if (packed === undefined) throw wireError('NoSuchObject');
    const takesZstd = /\bzstd\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(
      c.incoming.headers['accept-encoding'] ?? '',
    );
    const body = takesZstd ? packed : await unpack(packed);
    return c.body(body, 200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(body.length),
      Vary: 'Accept-Encoding',
      // Logs come from builds: no browser is to make more of one than text.
      'X-Content-Type-Options': 'nosniff',
      ...(takesZstd ? { 'Content-Encoding': 'zstd' } : {}),
      ...visibilityHeader(cache),
    });
  };
}

function checkDerivation(drv: string): string {
  if (isStoreBaseName(drv) && drv.endsWith('.drv')) return drv;
  throw wireError('NotFound');
}

async function limited(text: ByteStream): Promise<Buffer> {
  try {
    return await collect(text, LOG_LIMIT);
  } catch (error) {
    if (isFlywheelError(error, 'too-large')) throw wireError('PayloadTooLarge', error.message);
    throw error;
  }
}
