import { collect, isFlywheelError, messageOf } from '@flywheel/base';
import { parseNarInfo, parseStorePath, type NarInfo } from '@flywheel/nix';
import { auditOften } from './audit.ts';
import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import { keptSignatures } from './kept-signatures.ts';
import type { ApiParts } from './parts.ts';
import { bodyOf } from './request-body.ts';
import type { Handler } from './router.ts';
import { isStagedNarName } from './staged-nar.ts';
import { parseStorePathFile } from './store-path-file.ts';

/** A narinfo with 100,000 references is below this. */
const BODY_LIMIT = 16 * 1024 * 1024;

/** PUT /{cache}/{hash}.narinfo: the second half of `nix copy --to`. */
export function putStorePathFile(parts: ApiParts): Handler {
  return async (c) => {
    const { hash, suffix } = parseStorePathFile(c.param('file'));
    if (suffix !== 'narinfo' && suffix !== 'ls') throw wireError('NotFound');
    c.exchange.route = 'put-narinfo';
    const { cache, claims } = await authorize(parts, c, c.param('cache'), 'push');
    const encoding = c.incoming.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw wireError('UnsupportedMediaType', `a narinfo in Content-Encoding ${encoding}`);
    }
    const text = await bodyText(bodyOf(c));
    // Listings are made from the NAR itself, so a client's own is only accepted, never believed.
    if (suffix === 'ls') return c.body(null, 200);

    const info = parse(text);
    const path = parseStorePath(info.storePath);
    if (path.hash !== hash) {
      throw wireError('RequestError', `the narinfo of ${info.storePath} was put under ${hash}`);
    }
    if (path.storeDir !== cache.storeDir) {
      throw wireError(
        'RequestError',
        `${info.storePath} is not in the cache's store ${cache.storeDir}`,
      );
    }
    const file = info.url.replace(/^nar\//, '');
    const nar = isStagedNarName(file)
      ? await parts.store.metadata.findStagedNar(cache.id, file)
      : undefined;
    if (nar === undefined) {
      throw wireError('RequestError', `put ${info.url} before the narinfo that names it`);
    }
    if (!nar.hash.equals(info.narHash) || nar.size !== info.narSize) {
      throw wireError(
        'RequestError',
        `NarHash and NarSize are not those of the NAR that was put as ${info.url}`,
      );
    }
    const object = {
      cacheId: cache.id,
      storePathHash: hash,
      storePath: info.storePath,
      references: info.references.toSorted(),
      deriver: info.deriver,
      system: info.system,
      sigs: keptSignatures(info.sigs),
      ca: info.ca,
      createdBy: claims?.subject,
    };
    await parts.store.metadata.useNar(nar.id, { object });
    parts.objects.delete(cache.id, hash);
    auditOften(parts, c, { action: 'push', cache: cache.name, target: info.storePath });
    parts.uses.noteReferences(object);
    return c.body(null, 201);
  };
}

async function bodyText(body: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    return (await collect(body, BODY_LIMIT)).toString('utf8');
  } catch (error) {
    if (isFlywheelError(error, 'too-large')) throw wireError('PayloadTooLarge', error.message);
    throw error;
  }
}

function parse(text: string): NarInfo {
  try {
    return parseNarInfo(text);
  } catch (error) {
    throw wireError('RequestError', messageOf(error));
  }
}
