import { z } from 'zod';
import { messageOf } from '@flywheel/base';
import { isStoreBaseName, isStorePathHash, parseSha256, parseStorePath } from '@flywheel/nix';
import type { LiveCache } from './cache-directory.ts';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import { keptSignatures } from './kept-signatures.ts';
import { bodyOf, parseJson } from './request-body.ts';

const MAX_REFERENCES = 100_000;

const UploadInfo = z.object({
  cache: z.string(),
  store_path_hash: z.string(),
  store_path: z.string(),
  references: z.array(z.string()).max(MAX_REFERENCES),
  system: z.string().nullish(),
  deriver: z.string().nullish(),
  sigs: z.array(z.string()),
  ca: z.string().nullish(),
  nar_hash: z.string(),
  nar_size: z.int().min(0),
});

/** What a push says about a path, its formats checked. */
export interface UploadInfo {
  readonly cache: string;
  readonly storePathHash: string;
  readonly storePath: string;
  readonly references: readonly string[];
  readonly system: string | undefined;
  readonly deriver: string | undefined;
  readonly sigs: readonly string[];
  readonly ca: string | undefined;
  readonly narHash: Buffer;
  readonly narSize: number;
}

/**
 * Reads the upload info from its header or from the front of the body, and gives the rest of the
 * body: the NAR.
 */
export async function readUploadInfo(
  c: ApiContext,
  maxPreamble: number,
): Promise<{ info: UploadInfo; nar: AsyncIterable<Uint8Array> }> {
  const { headers } = c.incoming;
  const preambleSize = headers['x-attic-nar-info-preamble-size'];
  const header = headers['x-attic-nar-info'];
  const body = bodyOf(c);
  if (preambleSize !== undefined) {
    const size = /^\d{1,15}$/.test(String(preambleSize)) ? Number(preambleSize) : Number.NaN;
    if (Number.isNaN(size))
      throw wireError('RequestError', 'X-Attic-Nar-Info-Preamble-Size must be a number');
    if (size > maxPreamble) throw wireError('RequestError', 'Upload info is too large');
    const { preamble, rest } = await splitPreamble(body, size);
    return { info: checkInfo(parseJson(preamble.toString('utf8'), UploadInfo)), nar: rest };
  }
  if (header === undefined) throw wireError('RequestError', 'X-Attic-Nar-Info must be set');
  // Node reads header bytes as Latin-1; the JSON in them is UTF-8.
  const text = Buffer.from(String(header), 'latin1').toString('utf8');
  return { info: checkInfo(parseJson(text, UploadInfo)), nar: body };
}

/** Formats that the store relies on later: checked here, trusted inside. */
function checkInfo(raw: z.infer<typeof UploadInfo>): UploadInfo {
  if (!isStorePathHash(raw.store_path_hash)) {
    throw wireError(
      'RequestError',
      `store_path_hash ${JSON.stringify(raw.store_path_hash.slice(0, 64))} is not 32 characters of base-32`,
    );
  }
  const references = raw.references.map(checkReference);
  return {
    cache: raw.cache,
    storePathHash: raw.store_path_hash,
    storePath: raw.store_path,
    references: [...new Set(references)].toSorted(),
    system: checkLine('system', raw.system),
    deriver: checkLine('deriver', raw.deriver),
    sigs: keptSignatures(raw.sigs),
    ca: checkLine('ca', raw.ca),
    narHash: orRequestError('nar_hash', () => parseSha256(raw.nar_hash)),
    narSize: raw.nar_size,
  };
}

/**
 * The path must belong to the cache and carry the hash it is filed under: otherwise a pusher could
 * make the server sign one path's content in the place of another's.
 */
export function checkStorePath(info: UploadInfo, cache: LiveCache): void {
  const path = orRequestError('store_path', () => parseStorePath(info.storePath));
  if (path.storeDir !== cache.storeDir) {
    throw wireError(
      'RequestError',
      `store_path is in ${path.storeDir}, the cache ${cache.name} is for ${cache.storeDir}`,
    );
  }
  if (path.hash !== info.storePathHash) {
    throw wireError('RequestError', 'store_path and store_path_hash name different paths');
  }
}

function checkReference(reference: string): string {
  if (!isStoreBaseName(reference)) {
    throw wireError(
      'RequestError',
      `reference ${JSON.stringify(reference.slice(0, 300))} is not a store base name`,
    );
  }
  return reference;
}

/**
 * These are written into narinfo lines as they are: a newline would forge further lines, or leave the
 * path without a narinfo. PostgreSQL takes no NUL.
 */
function checkLine(field: string, value: string | null | undefined): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (/[\r\n\0]/.test(value)) throw wireError('RequestError', `${field} must be a single line`);
  return value;
}

function orRequestError<T>(field: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw wireError('RequestError', `${field}: ${messageOf(error)}`);
  }
}

async function splitPreamble(
  body: AsyncIterable<Uint8Array>,
  size: number,
): Promise<{ preamble: Buffer; rest: AsyncIterable<Uint8Array> }> {
  const iterator = body[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let seen = 0;
  while (seen < size) {
    const next = await iterator.next();
    if (next.done === true) {
      throw wireError('RequestError', "Upload info doesn't match specified size");
    }
    pieces.push(next.value);
    seen += next.value.length;
  }
  const start = Buffer.concat(pieces);
  return {
    preamble: start.subarray(0, size),
    rest: (async function* rest() {
      if (start.length > size) yield start.subarray(size);
      yield* { [Symbol.asyncIterator]: () => iterator };
    })(),
  };
}
