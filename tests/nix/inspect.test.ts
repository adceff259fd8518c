import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEachNix, jsonArguments } from './each-nix.ts';
import { createCache, hashOf, narUrlOf, openSite } from './site.ts';
import type { Site, TestCache } from './site.ts';

describeEachNix('looking into a cache', (nix) => {
  let site: Site;
  let cache: TestCache;
  beforeAll(async () => {
    site = await openSite(nix, 14);
    cache = await createCache(site.server, 'inspect', { isPublic: true });
    await site.builder.mustRun(['nix', 'copy', '--to', cache.url, site.closure.root]);
  }, 120_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  test('nix path-info shows what a download costs', async () => {
    await using store = await nix.openStore();
    const { root, paths } = site.closure;
    const command = ['nix', 'path-info', ...jsonArguments(nix), '--store', cache.url];
    const infos = parsePathInfos(await store.mustRun([...command, '--recursive', root]));
    expect(infos.size).toBe(paths.length);
    for (const path of paths) {
      const { narSize = 0, downloadSize = 0 } = infos.get(path) ?? {};
      expect(narSize).toBe(Number(await site.builder.mustRun(['nix-store', '-q', '--size', path])));
      // It is the length of what the NAR's URL answers, not an estimate.
      expect(downloadSize).toBe(await downloadLength(cache, path));
    }
  });

  test('nix store ls reads into a path', async () => {
    const tree = site.closure.paths.find((path) => path.endsWith('-node-1')) ?? '';
    await using store = await nix.openStore();
    const text = await store.mustRun(['nix', 'store', 'ls', '--store', cache.url, '-R', tree]);
    expect(text.split('\n')).toContain('./share/doc/refs');
  });

  test('the listing of each path is the one that nix makes of it', async () => {
    const folder = join(site.builder.folder, 'listings');
    const to = `file://${folder}?write-nar-listing=true&compression=none`;
    await site.builder.mustRun(['nix', 'copy', '--to', to, site.closure.root]);
    for (const path of site.closure.paths) {
      const expected: unknown = JSON.parse(
        await readFile(join(folder, `${hashOf(path)}.ls`), 'utf8'),
      );
      const answer = await fetch(`${cache.url}/${hashOf(path)}.ls`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual(expected);
    }
  });
});

interface PathInfo {
  readonly narSize?: number;
  readonly downloadSize?: number;
}

/** Nix wrote a list of objects with a path each until 2.18, and an object by path since. */
function parsePathInfos(text: string): Map<string, PathInfo> {
  const json = JSON.parse(text) as ({ path: string } & PathInfo)[] | Record<string, PathInfo>;
  if (Array.isArray(json)) return new Map(json.map((info) => [info.path, info]));
  return new Map(Object.entries(json));
}

async function downloadLength(cache: TestCache, path: string): Promise<number> {
  // Asked for as nix asks, so that fetch does not decode on the way.
  const headers = { 'accept-encoding': 'identity' };
  const answer = await fetch(`${cache.url}/${await narUrlOf(cache, path)}`, { headers });
  return (await answer.arrayBuffer()).byteLength;
}
