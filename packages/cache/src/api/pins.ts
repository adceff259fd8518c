import { z } from 'zod';
import { isFlywheelError, messageOf } from '@flywheel/base';
import { parseStorePath, type StorePath } from '@flywheel/nix';
import type { Pin } from '../db/pins.ts';
import { authorize } from './authorize.ts';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { jsonBody } from './request-body.ts';
import type { Handler } from './router.ts';

const BODY_LIMIT = 64 * 1024;
const DAY_SECONDS = 86_400;
/** Branch names fit, with their slashes as %2F. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._/+@-]{0,199}$/;

const PutRequest = z.object({
  store_path: z.string(),
  keep_revisions: z.int().min(0).max(1000).optional(),
  keep_days: z.int().min(1).max(36_500).nullish(),
});

/** GET /_flywheel/v1/caches/{cache}/pins */
export function listPins(parts: ApiParts): Handler {
  return async (c) => {
    const { cache, may } = await authorize(parts, c, c.param('cache'), 'pull');
    const pins = await parts.store.metadata.listPins(cache.id);
    return c.json({ pins: pins.map((pin) => wirePin(pin, may('push'))) });
  };
}

/** GET /_flywheel/v1/caches/{cache}/pins/{name} */
export function getPin(parts: ApiParts): Handler {
  return async (c) => {
    const { cache, may } = await authorize(parts, c, c.param('cache'), 'pull');
    const name = pinName(c);
    const pin = await parts.store.metadata.findPin(cache.id, name);
    if (pin === undefined) throw wireError('NoSuchObject', `there is no pin ${name}`);
    return c.json(wirePin(pin, may('push')));
  };
}

/** PUT: adds a revision. What the body does not say of the policy stays as it was. */
export function putPin(parts: ApiParts): Handler {
  return async (c) => {
    const { cache, claims } = await authorize(parts, c, c.param('cache'), 'push');
    const { metadata } = parts.store;
    const name = pinName(c);
    const request = await jsonBody(c, PutRequest, BODY_LIMIT);
    const path = storePathOf(request.store_path);
    if (path.storeDir !== cache.storeDir) {
      throw wireError('RequestError', `${request.store_path} is not in ${cache.storeDir}`);
    }
    const known = await metadata.findPin(cache.id, name);
    const keepRevisions = request.keep_revisions ?? known?.keepRevisions ?? 1;
    const keepSeconds =
      request.keep_days === undefined
        ? known?.keepSeconds
        : (request.keep_days ?? 0) * DAY_SECONDS || undefined;
    if (keepRevisions === 0 && keepSeconds === undefined) {
      throw wireError('RequestError', 'a pin with keep_revisions 0 needs keep_days');
    }
    const { baseName, hash } = path;
    const pin = await metadata
      .putPin({
        cacheId: cache.id,
        name,
        storePath: `${cache.storeDir}/${baseName}`,
        storePathHash: hash,
        keepRevisions,
        keepSeconds,
        createdBy: claims?.subject,
      })
      .catch((error: unknown) => {
        if (!isFlywheelError(error, 'not-found')) throw error;
        throw wireError('NoSuchObject', `${error.message}; push the path first, then pin it`);
      });
    parts.logger.info('pin set', { cache: cache.name, pin: name, by: claims?.subject });
    return c.json(wirePin(pin, true));
  };
}

/** DELETE: all its revisions. The paths stay until retention finds nothing else that keeps them. */
export function deletePin(parts: ApiParts): Handler {
  return async (c) => {
    const { cache, claims } = await authorize(parts, c, c.param('cache'), 'delete');
    const name = pinName(c);
    if (!(await parts.store.metadata.removePin(cache.id, name))) {
      throw wireError('NoSuchObject', `there is no pin ${name}`);
    }
    parts.logger.info('pin removed', { cache: cache.name, pin: name, by: claims?.subject });
    return c.body(null, 204);
  };
}

function pinName(c: ApiContext): string {
  const name = c.param('pin');
  if (NAME.test(name)) return name;
  throw wireError(
    'RequestError',
    'a pin has up to 200 of A-Z a-z 0-9 . _ / + @ - and begins with a letter or a digit',
  );
}

function storePathOf(text: string): StorePath {
  try {
    return parseStorePath(text);
  } catch (error) {
    throw wireError('RequestError', messageOf(error));
  }
}

/** Who set it is for those who may set pins: everybody may read the pins of a public cache. */
function wirePin({ name, keepRevisions, keepSeconds, revisions }: Pin, withNames: boolean) {
  return {
    name,
    keep_revisions: keepRevisions,
    keep_days: keepSeconds === undefined ? null : keepSeconds / DAY_SECONDS,
    revisions: revisions.map((revision) => ({
      revision: revision.revision,
      store_path: revision.storePath,
      created_at: revision.createdAt,
      created_by: withNames ? (revision.createdBy ?? null) : null,
    })),
  };
}
