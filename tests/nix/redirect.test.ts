import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing, runChild, startVersity } from '@flywheel/testing';
import type { S3Server } from '@flywheel/testing';
import { describeEachNix } from './each-nix.ts';
import { startProxy } from './proxy.ts';
import { createCache, hashOf, narUrlOf, openSite } from './site.ts';
import type { Site, TestCache } from './site.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../flywheel');
const PATHS = 14;

const found = await startVersity();
const s3 = found as S3Server;

afterAll(async () => {
  if (!isMissing(found)) await s3[Symbol.asyncDispose]();
});

/** What the server is told: `endpoint` is what it redirects to. */
function redirectTo(endpoint: string, prefix: string): readonly string[] {
  const place = ['--s3-bucket', s3.bucket, '--s3-endpoint', s3.endpoint, '--s3-prefix', prefix];
  return [...place, '--downloads', 'redirect', '--s3-public-endpoint', endpoint];
}

if (isMissing(found)) test('redirects to S3', ({ skip }) => skip(found.missing));

describe.skipIf(isMissing(found))('a cache that redirects to S3', () => {
  describeEachNix('downloads', (nix) => {
    let site: Site;
    let cache: TestCache;
    let secret: TestCache;

    beforeAll(async () => {
      // Under another name than the cache, as it is in production: nix's netrc goes by the name.
      const endpoint = s3.endpoint.replace('127.0.0.1', 'localhost');
      const args = redirectTo(endpoint, nix.version);
      site = await openSite(nix, PATHS, { args, env: s3.env });
      cache = await createCache(site.server, 'public', { isPublic: true });
      secret = await createCache(site.server, 'secret', { isPublic: false });
      for (const { url } of [cache, secret]) {
        await site.builder.mustRun(['nix', 'copy', '--to', url, site.closure.root]);
      }
    }, 120_000);
    afterAll(() => site?.[Symbol.asyncDispose]());

    const answerFor = async (path: string, init: RequestInit = {}): Promise<Response> => {
      const url = `${cache.url}/${await narUrlOf(cache, path)}`;
      return fetch(url, { redirect: 'manual', ...init });
    };

    test('are answered with a URL of the bucket for a few minutes', async () => {
      const answer = await answerFor(site.closure.paths[0]!);
      expect(answer.status).toBe(307);
      const location = new URL(answer.headers.get('location') ?? '');
      expect(location.hostname).toBe('localhost');
      expect(location.pathname).toMatch(
        new RegExp(`^/${s3.bucket}/${nix.version}/[0-9a-f]{2}/[0-9a-f-]+[.]pack$`),
      );
      expect(location.searchParams.get('X-Amz-Expires')).toBe('300');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    test('have the type, length and ranges that they have from us', async () => {
      const [path] = site.closure.paths;
      const head = await answerFor(path!, { method: 'HEAD' });
      expect(head.status).toBe(200);
      const size = Number(head.headers.get('content-length'));

      const whole = await answerFor(path!, { redirect: 'follow' });
      expect(whole.headers.get('content-type')).toBe('application/x-nix-nar');
      expect(whole.headers.get('content-length')).toBe(`${size}`);
      expect((await whole.arrayBuffer()).byteLength).toBe(size);
      const headers = { Range: `bytes=10-19` };
      const part = await answerFor(path!, { redirect: 'follow', headers });
      expect(part.status).toBe(206);
      expect(part.headers.get('content-range')).toBe(`bytes 10-19/${size}`);
      const beyond = await answerFor(path!, { headers: { Range: `bytes=${size}-` } });
      expect(beyond.status).toBe(416);
    });

    test('are followed by nix, public and private', async () => {
      for (const { url, publicKey } of [cache, secret]) {
        await using store = await nix.openStore({
          netrc: site.netrc,
          settings: { substituters: url, 'trusted-public-keys': publicKey },
        });
        await store.mustRun(['nix-store', '--realise', site.closure.root]);
        await store.mustRun(['nix-store', '--verify', '--check-contents']);
      }
      const metrics = await (await fetch(`${site.server.url}metrics`)).text();
      const redirected = /^flywheel_cache_downloads_total\{way="redirected"\} (\d+)$/m.exec(
        metrics,
      );
      expect(Number(redirected?.[1])).toBeGreaterThanOrEqual(2 * PATHS);
      expect(metrics).toMatch(/^flywheel_cache_s3_requests_total\{operation="PutObject"\} \d+$/m);
      expect(metrics).not.toContain('operation="GetObject"');
    });

    test('of a private cache need its token', async () => {
      const url = `${secret.url}/nar/${hashOf(site.closure.paths[0]!)}.nar`;
      expect((await fetch(url, { redirect: 'manual' })).status).toBe(401);
    });

    test('that break in the bucket go on where they were', async () => {
      const big = site.closure.paths.find((path) => path.endsWith('-node-5')) ?? '';
      await using bucket = await startProxy(s3.endpoint, {
        when: ({ method }) => method === 'GET',
        afterBytes: 700_000,
      });
      // A server of its own: URLs are signed for this address of the bucket.
      const args = redirectTo(bucket.url, `${nix.version}-cut`);
      await using here = await openSite(nix, PATHS, { args, env: s3.env });
      const target = await createCache(here.server, 'cut', { isPublic: true });
      await here.builder.mustRun(['nix', 'copy', '--to', target.url, here.closure.root]);
      await using store = await nix.openStore({
        settings: { substituters: target.url, 'trusted-public-keys': target.publicKey },
      });
      await store.mustRun(['nix-store', '--realise', big]);
      await store.mustRun(['nix-store', '--verify-path', big]);
      expect(bucket.requests.some(({ headers }) => headers['range'] !== undefined)).toBe(true);
    });

    test('are followed by flywheel pull, which shows its token to nobody else', async () => {
      const args = ['pull', secret.name, site.closure.root, '--verify-only', '--data'];
      const env = { HOME: site.builder.folder, PATH: '/usr/bin:/bin' };
      const pulled = await runChild([LAUNCHER, ...args, site.server.dataDir], { env });
      expect(pulled.status, pulled.stderr).toBe(0);
    });
  });
});
