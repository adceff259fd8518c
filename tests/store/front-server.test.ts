import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isMissing, startCacheProcess, startNginx } from '@flywheel/testing';
import type { CacheProcess, Nginx } from '@flywheel/testing';
import { createCache, getNar, uploadPath, verifyPath } from './attic-client.ts';
import { documentedSite } from './documented-nginx.ts';
import { generatePath, type GeneratedPath } from './sample-nars.ts';

const MIB = 1024 ** 2;

let dataDir: string;
let server: CacheProcess;
let nginx: Nginx | undefined;
let why = '';
/** The cache as clients see it: through nginx. */
let front: CacheProcess;
let whole: GeneratedPath;
/** Lies in the pack of `whole` and in one of its own. */
let spread: GeneratedPath;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'flywheel-front-'));
  const args = ['--send-file', 'x-accel-redirect=/internal/'];
  server = await startCacheProcess({ dataDir, args });
  const found = await startNginx({
    root: dataDir,
    site: await documentedSite({ dataDir, cacheUrl: server.url }),
  });
  if (isMissing(found)) {
    why = found.missing;
    return;
  }
  nginx = found;
  front = { ...server, url: nginx.url };
  // Noise: nothing in it occurs twice, which would be stored once and read from there.
  const same = randomBytes(2 * MIB);
  const make = (name: string): Promise<GeneratedPath> => {
    const own = randomBytes(MIB);
    return generatePath(name, 3 * MIB, () => [same, own]);
  };
  [whole, spread] = await Promise.all([make('whole'), make('spread')]);
  await createCache(front, 'main');
  await uploadPath(front, 'main', whole);
  await uploadPath(front, 'main', spread);
});

afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

const narUrl = (path: GeneratedPath, base = front.url): string =>
  `${base}main/nar/${path.hash}.nar`;

async function downloads(way: string): Promise<number> {
  const text = await (await fetch(`${server.url}metrics`)).text();
  const line = new RegExp(`^flywheel_cache_downloads_total\\{way="${way}"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1]);
}

test('nginx sends a NAR that is one pack, as a whole and in parts', async ({ skip }) => {
  skip(nginx === undefined, why);
  await verifyPath(front, 'main', whole);
  const answer = await fetch(narUrl(whole));
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(answer.headers.get('content-type')).toBe('application/x-nix-nar');
  expect(answer.headers.get('content-length')).toBe(`${bytes.length}`);
  expect(answer.headers.get('accept-ranges')).toBe('bytes');
  expect(answer.headers.get('x-accel-redirect')).toBeNull();

  const part = await fetch(narUrl(whole), { headers: { Range: 'bytes=1000-1999' } });
  expect(part.status).toBe(206);
  expect(part.headers.get('content-range')).toBe(`bytes 1000-1999/${bytes.length}`);
  expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000, 2000))).toBe(true);
  const beyond = await fetch(narUrl(whole), { headers: { Range: `bytes=${bytes.length}-` } });
  expect(beyond.status).toBe(416);
  const head = await fetch(narUrl(whole), { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe(`${bytes.length}`);
  // What a client resumes by is the same for both.
  expect(head.headers.get('etag')).toBe(answer.headers.get('etag'));
  expect(await downloads('front-server')).toBe(4);
  expect(await downloads('sent')).toBe(0);
});

test('a NAR that lies in several packs comes through the cache', async ({ skip }) => {
  skip(nginx === undefined, why);
  const before = await downloads('sent');
  await verifyPath(front, 'main', spread);
  const bytes = await getNar(front, 'main', spread);
  const part = await getNar(front, 'main', spread, { Range: 'bytes=5-9' });
  expect(part.equals(bytes.subarray(5, 10))).toBe(true);
  expect((await downloads('sent')) - before).toBe(3);
});

test('nobody else reaches the files', async ({ skip }) => {
  skip(nginx === undefined, why);
  const direct = await fetch(narUrl(whole, server.url));
  const file = direct.headers.get('x-accel-redirect') ?? '';
  expect(file).toMatch(/^\/internal\/packs\/[0-9a-f]{2}\/[0-9a-f-]+\.pack$/);
  for (const path of [file, '/internal/keys/admin.token', '/internal/packs/../keys/admin.token']) {
    const answer = await fetch(new URL(path, front.url));
    expect(answer.status, path).toBe(404);
  }
  expect(await readFile(join(dataDir, 'keys', 'admin.token'), 'utf8')).not.toBe('');
});

test('a token is needed as ever', async ({ skip }) => {
  skip(nginx === undefined, why);
  const url = `${front.url}_api/v1/cache-config/main`;
  const headers = {
    Authorization: `Bearer ${server.adminToken}`,
    'Content-Type': 'application/json',
  };
  const body = JSON.stringify({ is_public: false });
  expect((await fetch(url, { method: 'PATCH', headers, body })).status).toBe(200);
  expect((await fetch(narUrl(whole))).status).toBe(401);
  await verifyPath(front, 'main', whole);
});
