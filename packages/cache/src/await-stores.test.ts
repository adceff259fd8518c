import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger, systemClock } from '@flywheel/base';
import { startCacheServer, type CacheServerOptions } from './server.ts';

/** What an object store says before anybody has set it up, by its own name of the error. */
type Refusal = 'InvalidAccessKeyId' | 'NoSuchBucket';

let folder: string;
let store: Server;
let refusal: Refusal | undefined;
let log: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'await-stores-'));
  refusal = undefined;
  log = '';
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
  // As much of S3 as a start asks for.
  store = createServer((request, response) => {
    request.resume();
    if (refusal !== undefined) {
      response.writeHead(refusal === 'NoSuchBucket' ? 404 : 403, { 'content-type': 'text/xml' });
      response.end(`<Error><Code>${refusal}</Code><Message>Of ${refusal}.</Message></Error>`);
      return;
    }
    response.writeHead(request.method === 'DELETE' ? 204 : 200, { 'content-type': 'text/xml' });
    response.end(request.method === 'GET' ? '<Result></Result>' : '');
  });
  await new Promise<void>((done) => store.listen(0, '127.0.0.1', done));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  store.closeAllConnections();
  store.close();
  await rm(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

function options(port: number): CacheServerOptions {
  const endpoint = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  return {
    dataDir: folder,
    listen: { host: '127.0.0.1', port },
    s3: { bucket: 'packs', endpoint, region: 'us-east-1' },
    clock: systemClock,
    logger: createLogger((line) => (log += line)),
  };
}

test('a start waits for its user and its bucket, says so, and becomes ready by itself', async () => {
  refusal = 'InvalidAccessKeyId';
  const port = await freePort();
  const status = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined))?.status ?? 0;

  const starting = startCacheServer({ ...options(port), waitMs: 60_000 });
  await expect.poll(() => status('/readyz'), { timeout: 10_000 }).toBe(503);
  expect(await status('/healthz')).toBe(200);
  expect(await status('/nix-cache-info')).toBe(503);
  expect(log).toContain('Of InvalidAccessKeyId.');
  expect(log).toContain('check AWS_ACCESS_KEY_ID');
  refusal = 'NoSuchBucket';
  await expect.poll(() => log, { timeout: 10_000 }).toContain('Of NoSuchBucket.');
  refusal = undefined;
  const server = await starting;

  expect(await status('/readyz')).toBe(200);
  expect(log.match(/waiting for what is not there/g)).toHaveLength(2);
  await server.close();
}, 30_000);

test('what does not come ends the start with its own words', async () => {
  refusal = 'InvalidAccessKeyId';
  const error = { code: 'forbidden', message: expect.stringContaining('Of InvalidAccessKeyId.') };

  await expect(startCacheServer(options(0))).rejects.toMatchObject(error);
  expect(log).toBe('');
  await expect(startCacheServer({ ...options(0), waitMs: 3000 })).rejects.toMatchObject(error);
  expect(log.match(/waiting for what is not there/g)).toHaveLength(1);
}, 20_000);

test('who is asked to end does not wait on', async () => {
  refusal = 'NoSuchBucket';
  const asked = new AbortController();

  const starting = startCacheServer({ ...options(0), waitMs: 60_000, signal: asked.signal });
  setTimeout(() => asked.abort(new Error('asked to end')), 300);

  await expect(starting).rejects.toThrow('asked to end');
}, 10_000);
