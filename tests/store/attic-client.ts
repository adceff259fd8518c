import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheProcess } from '@flywheel/testing';
import type { GeneratedPath } from './sample-nars.ts';

/** What these requests need to know of a server. */
export type Server = Pick<CacheProcess, 'url' | 'adminToken'>;

// The bare protocol, without the retries and conveniences of packages/client: these suites must see
// every failure.

async function call(
  server: Server,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Readable | string,
): Promise<IncomingMessage> {
  const request = httpRequest(new URL(path, server.url), {
    method,
    agent: false,
    headers: { ...headers, Authorization: `Bearer ${server.adminToken}` },
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  // A server that is killed breaks both directions; the answer's failure is the one that counts.
  answered.catch(() => {});
  if (body instanceof Readable) await pipeline(body, request);
  else request.end(body);
  const [response] = await answered;
  return response;
}

async function text(response: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString();
}

async function expectOk(response: IncomingMessage, what: string): Promise<string> {
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`${what}: ${response.statusCode} ${body}`);
  return body;
}

export async function createCache(server: Server, name: string): Promise<void> {
  const settings = {
    keypair: 'Generate',
    is_public: true,
    store_dir: '/nix/store',
    priority: 41,
    upstream_cache_key_names: [],
  };
  const type = { 'Content-Type': 'application/json' };
  const path = `_api/v1/cache-config/${name}`;
  await expectOk(
    await call(server, 'POST', path, type, JSON.stringify(settings)),
    `create ${name}`,
  );
}

export async function destroyCache(server: Server, name: string): Promise<void> {
  await expectOk(await call(server, 'DELETE', `_api/v1/cache-config/${name}`), `destroy ${name}`);
}

export async function uploadPath(
  server: Server,
  cache: string,
  path: GeneratedPath,
): Promise<void> {
  const info = JSON.stringify({
    cache,
    store_path_hash: path.hash,
    store_path: path.storePath,
    references: [],
    sigs: [],
    nar_hash: `sha256:${path.narHash.toString('hex')}`,
    nar_size: path.narSize,
  });
  const headers = { 'X-Attic-Nar-Info': info };
  const body = Readable.from(path.nar(), { objectMode: false });
  const response = await call(server, 'PUT', '_api/v1/upload-path', headers, body);
  await expectOk(response, `upload ${path.storePath}`);
}

/** Hashes of those paths that the cache says it does not have. */
export async function missingPaths(
  server: Server,
  cache: string,
  paths: readonly GeneratedPath[],
): Promise<ReadonlySet<string>> {
  const body = JSON.stringify({ cache, store_path_hashes: paths.map((path) => path.hash) });
  const type = { 'Content-Type': 'application/json' };
  const response = await call(server, 'POST', '_api/v1/get-missing-paths', type, body);
  const answer = JSON.parse(await expectOk(response, 'missing paths')) as {
    missing_paths: string[];
  };
  return new Set(answer.missing_paths);
}

/** The stored bytes of a NAR, or of the part that a Range header names. */
export async function getNar(
  server: Server,
  cache: string,
  path: GeneratedPath,
  headers: Record<string, string> = {},
): Promise<Buffer> {
  const response = await call(server, 'GET', `${cache}/nar/${path.hash}.nar`, headers);
  const body = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>));
  const expected = headers['Range'] === undefined ? 200 : 206;
  if (response.statusCode === expected) return body;
  throw new Error(`nar: ${response.statusCode} ${body.toString()}`);
}

/** Downloads and decompresses a NAR and compares hash and size; throws on any difference. */
export async function verifyPath(
  server: Server,
  cache: string,
  path: GeneratedPath,
): Promise<void> {
  await expectOk(await call(server, 'GET', `${cache}/${path.hash}.narinfo`), 'narinfo');
  const response = await call(server, 'GET', `${cache}/nar/${path.hash}.nar`);
  if (response.statusCode !== 200) throw new Error(`nar: ${response.statusCode}`);
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(response, createZstdDecompress(), async (plain: AsyncIterable<Buffer>) => {
    for await (const piece of plain) {
      hash.update(piece);
      size += piece.length;
    }
  });
  if (size !== path.narSize || !hash.digest().equals(path.narHash)) {
    throw new Error(`${path.storePath} came back damaged: ${size} of ${path.narSize} bytes`);
  }
}

/** Asks for a run of retention, which also reclaims, and waits until one has ended well. */
export async function collectGarbage(server: Server): Promise<void> {
  const type = { 'Content-Type': 'application/json' };
  const asked = await call(
    server,
    'POST',
    '_flywheel/v1/runs',
    type,
    JSON.stringify({ kind: 'retention' }),
  );
  const { id } = JSON.parse(await text(asked)) as { id: number };
  for (;;) {
    const answer = await text(await call(server, 'GET', `_flywheel/v1/runs/${id}`));
    const { state, error } = JSON.parse(answer) as { state?: string; error?: string };
    if (state === 'done') return;
    if (state !== 'waiting' && state !== 'running')
      throw new Error(`run ${id}: ${error ?? answer}`);
    await sleep(100);
  }
}

export async function status(server: Server): Promise<Readonly<Record<string, unknown>>> {
  const response = await call(server, 'GET', '_status.json');
  return JSON.parse(await expectOk(response, 'status')) as Record<string, unknown>;
}
