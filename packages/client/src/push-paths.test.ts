import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { FlywheelError } from '@flywheel/base';
import { pushPaths } from './index.ts';
import type { PathSource, TransferEvent } from './index.ts';
import { answerJson, startDouble } from './test-double.ts';
import type { HttpDouble } from './test-double.ts';
import { baseNameFor, testSource } from './test-source.ts';

type Upload = (
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
  earlier: number,
) => void;

/** A cache that lacks all paths but those named; `upload` answers for each upload. */
function startCache(upload: Upload, present: readonly string[] = []): Promise<HttpDouble> {
  const tries = new Map<string, number>();
  return startDouble(
    (request, response) => {
      if (request.method === 'POST') {
        void answerMissing(request, response, present);
        return;
      }
      const info = JSON.parse(String(request.headers['x-attic-nar-info'])) as {
        store_path: string;
      };
      const name = info.store_path.slice('/nix/store/'.length + 33);
      const earlier = tries.get(name) ?? 0;
      tries.set(name, earlier + 1);
      upload(name, request, response, earlier);
    },
    () => ({ upstream_cache_key_names: ['cache.nixos.org-1'] }),
  );
}

async function answerMissing(
  request: IncomingMessage,
  response: ServerResponse,
  present: readonly string[],
): Promise<void> {
  const text = (await request.toArray()).join('');
  const { store_path_hashes: hashes } = JSON.parse(text) as { store_path_hashes: string[] };
  const known = new Set(present.map((name) => baseNameFor(name).slice(0, 32)));
  response.end(JSON.stringify({ missing_paths: hashes.filter((hash) => !known.has(hash)) }));
}

function accept(request: IncomingMessage, response: ServerResponse): void {
  answerJson(request, response, 200, { kind: 'Uploaded', file_size: 5, frac_deduplicated: 0.5 });
}

function source(name: string, references: readonly string[] = []): Promise<PathSource> {
  return testSource(name, name, { references: references.map(baseNameFor) });
}

function nameOf({ storePath }: { readonly storePath: string }): string {
  return storePath.slice('/nix/store/'.length + 33);
}

test('pushes what is missing, leaves out what is there or signed upstream, and tells of it', async () => {
  await using cache = await startCache(
    (_name, request, response) => accept(request, response),
    ['there'],
  );
  const upstream = await testSource('upstream', 'u', {
    sigs: ['mine-1:AA', 'cache.nixos.org-1:AA'],
  });
  const fresh = await source('fresh', ['there', 'upstream']);
  const events: TransferEvent[] = [];
  const request = {
    client: cache.client(),
    paths: [fresh, await source('there'), upstream, fresh],
    onProgress: (event: TransferEvent): void => void events.push(event),
  };
  const { storePath, narSize } = fresh;
  expect(await pushPaths(request)).toEqual({
    uploaded: [{ storePath, narSize, fileSize: 5, deduplicated: 0.5 }],
    present: 1,
    upstream: 1,
    failed: [],
    bytes: narSize,
    seconds: expect.any(Number) as number,
  });
  expect(events).toEqual([
    { kind: 'planned', paths: 1, bytes: narSize, present: 1, upstream: 1 },
    { kind: 'start', storePath, narSize },
    { kind: 'bytes', storePath, bytes: narSize },
    { kind: 'done', storePath, narSize, fileSize: 5, deduplicated: 0.5 },
  ]);
  const all = await pushPaths({ ...request, ignoreUpstream: true });
  expect(all.uploaded.map(nameOf).toSorted()).toEqual(['fresh', 'upstream']);
});

test('references come before what refers to them, and the other jobs go on meanwhile', async () => {
  let running = 0;
  let most = 0;
  const done = new Set<string>();
  const early: string[] = [];
  const references: Record<string, readonly string[]> = { lib: [], a: ['lib'], b: ['lib', 'b'] };
  for (let i = 0; i < 12; i += 1) references[`alone-${i}`] = [];
  references['top'] = ['a', 'b', 'top', 'not-pushed'];
  await using cache = await startCache((name, request, response) => {
    running += 1;
    most = Math.max(most, running);
    const missing = (references[name] ?? []).filter(
      (other) => other !== name && other in references,
    );
    if (!missing.every((other) => done.has(other))) early.push(name);
    setTimeout(() => {
      running -= 1;
      done.add(name);
      accept(request, response);
    }, 10);
  });
  const sources = Object.entries(references).map(([name, of]) => source(name, of));
  const paths = (await Promise.all(sources)).reverse();
  const result = await pushPaths({ client: cache.client(), paths, jobs: 3 });
  expect(result.uploaded.length).toBe(16);
  expect(early).toEqual([]);
  expect(most).toBe(3);
});

test('what fails for now is tried again, and progress never goes back', async () => {
  await using cache = await startCache((_name, request, response, earlier) => {
    if (earlier === 0) answerJson(request, response, 500, {});
    else if (earlier === 1) request.once('data', () => request.destroy());
    else accept(request, response);
  });
  const large = await testSource('large', Buffer.alloc(2_000_000));
  const events: TransferEvent[] = [];
  const result = await pushPaths({
    client: cache.client(),
    paths: [large],
    onProgress: (event) => events.push(event),
  });
  expect(result.failed).toEqual([]);
  const sent = events.filter((event) => event.kind === 'bytes').map(({ bytes }) => bytes);
  expect(sent.every((bytes) => bytes > 0)).toBe(true);
  expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBe(large.narSize);
});

test('a path that fails takes along what refers to it, and nothing else', async () => {
  await using cache = await startCache((name, request, response) => {
    if (name !== 'bad') accept(request, response);
    else answerJson(request, response, 507, { code: 507, error: 'Full', message: 'No space.' });
  });
  const broken = await testSource('unreadable', '', {
    nar: () => {
      throw new FlywheelError('forbidden', 'cannot read /x');
    },
  });
  const paths = [
    await source('bad'),
    broken,
    await source('user', ['bad']),
    await source('user-of-user', ['user']),
    await source('good'),
    await source('good-too', ['good']),
  ];
  const { uploaded, failed } = await pushPaths({ client: cache.client(), paths });
  expect(uploaded.map(nameOf)).toEqual(['good', 'good-too']);
  const errors = new Map(failed.map((failure) => [nameOf(failure), failure.error]));
  expect([...errors].map(([name, { code }]) => `${name} ${code}`).toSorted()).toEqual([
    'bad no-space',
    'unreadable forbidden',
    'user no-space',
    'user-of-user no-space',
  ]);
  expect(errors.get('user')?.message).toMatch(
    /-user was not pushed, because its reference .*-bad was not: push .*: HTTP 507 Full: No space\.$/,
  );
});

test('a token that is refused is not tried for each path', async () => {
  await using cache = await startCache((_name, request, response) =>
    answerJson(request, response, 401, { code: 401, error: 'Unauthorized', message: 'No.' }),
  );
  const paths = await Promise.all(Array.from({ length: 50 }, (_, i) => source(`p${i}`)));
  const { failed } = await pushPaths({ client: cache.client(), paths, jobs: 2 });
  expect(failed.map(({ error }) => error.code)).toEqual(paths.map(() => 'unauthorized'));
  expect(cache.requests.filter(({ method }) => method === 'PUT').length).toBeLessThan(6);
  const spared = failed.filter(({ error }) =>
    error.message.includes('was not tried any more after: push'),
  );
  expect(spared.length).toBeGreaterThan(44);
});

test('a server that has died is not waited for with each path', async () => {
  await using cache = await startCache((_name, request) => void request.destroy());
  const paths = await Promise.all(Array.from({ length: 50 }, (_, i) => source(`p${i}`)));
  const { failed } = await pushPaths({ client: cache.client(), paths, jobs: 2 });
  expect(failed.length).toBe(50);
  expect(cache.requests.filter(({ method }) => method === 'PUT').length).toBeLessThan(20);
});

test('without the right to push, or aborted, it throws', async () => {
  await using cache = await startDouble((request, response) =>
    answerJson(request, response, 403, { code: 403, error: 'AccessError', message: 'No.' }),
  );
  const paths = [await source('p')];
  await expect(pushPaths({ client: cache.client(), paths })).rejects.toMatchObject({
    code: 'forbidden',
  });
  await using silent = await startCache((_name, request) => void request.resume());
  const signal = AbortSignal.timeout(100);
  await expect(pushPaths({ client: silent.client(), paths, signal })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
});
