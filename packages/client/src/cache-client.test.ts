import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { collect, FlywheelError } from '@flywheel/base';
import { formatNarInfo } from '@flywheel/nix';
import type { NarInfo } from '@flywheel/nix';
import { CacheClient } from './index.ts';
import type { PathSource } from './index.ts';
import { answerJson, startDouble } from './test-double.ts';
import { baseNameFor, testSource } from './test-source.ts';

const UPLOADED = { kind: 'Uploaded', file_size: 7, frac_deduplicated: 0.25 };

test('an upload carries its description in a header, and a long one before the NAR', async () => {
  const bodies: Buffer[] = [];
  await using double = await startDouble((request, response) => {
    void collect(request, 1e6).then((body) => {
      bodies.push(body);
      response.end(JSON.stringify(UPLOADED));
    });
  });
  const client = double.client({ token: 'abc' });
  const short = await testSource('short', 'content', {
    references: [baseNameFor('lib')],
    deriver: baseNameFor('short.drv'),
    ca: 'text:sha256:x',
    sigs: ['k-1:AAAA'],
  });
  const counted: number[] = [];
  const answer = await client.upload(short, { onBytes: (bytes) => counted.push(bytes) });
  expect(answer).toEqual({ fileSize: 7, deduplicated: 0.25 });
  expect(counted).toEqual([short.narSize]);
  const { headers, url, method } = double.requests[1] ?? {};
  expect([method, url, headers?.authorization, headers?.['transfer-encoding']]).toEqual([
    'PUT',
    '/_api/v1/upload-path',
    'Bearer abc',
    'chunked',
  ]);
  expect(headers?.['user-agent']).toMatch(/^flywheel\/\d+\.\d+\.\d+$/);
  expect(JSON.parse(String(headers?.['x-attic-nar-info']))).toEqual({
    cache: 'main',
    store_path_hash: baseNameFor('short').slice(0, 32),
    store_path: short.storePath,
    references: [baseNameFor('lib')],
    deriver: baseNameFor('short.drv'),
    ca: 'text:sha256:x',
    sigs: ['k-1:AAAA'],
    nar_hash: `sha256:${short.narHash.toString('hex')}`,
    nar_size: short.narSize,
  });
  expect(bodies[0]?.equals(await collect(short.nar(), 1e6))).toBe(true);

  const references = Array.from({ length: 100 }, (_, i) => baseNameFor(`dependency-${i}`));
  await client.upload({ ...short, references });
  const size = Number(double.requests[2]?.headers['x-attic-nar-info-preamble-size']);
  expect(double.requests[2]?.headers['x-attic-nar-info']).toBeUndefined();
  const preamble = JSON.parse(String(bodies[1]?.subarray(0, size))) as { references: string[] };
  expect(preamble.references).toEqual(references);
  expect(bodies[1]?.subarray(size).equals(await collect(short.nar(), 1e6))).toBe(true);
});

test('the description moves before the NAR at exactly 4096 bytes', async () => {
  await using double = await startDouble((request, response) =>
    answerJson(request, response, 200, UPLOADED),
  );
  const client = double.client();
  const base = await testSource('path', 'x', { ca: '' });
  await client.upload(base);
  const known = String(double.requests[1]?.headers['x-attic-nar-info']).length;
  for (const size of [4095, 4096]) {
    await client.upload({ ...base, ca: 'c'.repeat(size - known) });
  }
  expect(double.requests[2]?.headers['x-attic-nar-info']?.length).toBe(4095);
  expect(double.requests[3]?.headers['x-attic-nar-info-preamble-size']).toBe('4096');
});

test.each([
  [400, 'RequestError', 'invalid-input'],
  [401, 'Unauthorized', 'unauthorized'],
  [403, 'AccessError', 'forbidden'],
  [404, 'NoSuchCache', 'not-found'],
  [413, 'PayloadTooLarge', 'too-large'],
  [422, 'UnprocessableEntity', 'invalid-input'],
  [400, 'CacheAlreadyExists', 'already-exists'],
  [503, 'IncompleteNar', 'corrupt'],
  [507, 'InsufficientStorage', 'no-space'],
  [429, 'TooManyRequests', 'unavailable'],
  [408, 'Timeout', 'unavailable'],
  [500, 'InternalServerError', 'unavailable'],
  [502, 'BadGateway', 'unavailable'],
])('HTTP %i %s is %s, in the words of the server', async (status, error, code) => {
  await using double = await startDouble((request, response) =>
    answerJson(request, response, status, { code: status, error, message: 'So it is.' }),
  );
  const source = await testSource('p');
  const origin = double.url.slice(0, -1);
  await expect(double.client({ token: 'geheim' }).upload(source)).rejects.toMatchObject({
    code,
    message: `push ${source.storePath} to the cache main at ${origin}: HTTP ${status} ${error}: So it is.`,
  });
});

test('an error page of something else is quoted, without its control characters', async () => {
  await using double = await startDouble((request, response) => {
    request.resume();
    response.writeHead(502).end('<h1>Bad\n\n Gateway</h1>\u001b[31m');
  });
  await expect(double.client().upload(await testSource('p'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/: HTTP 502 <h1>Bad Gateway<\/h1> \[31m$/) as string,
  });
});

/** A NAR without end, and how far it was read. */
function endless(): { readonly source: Promise<PathSource>; read: number; closed: boolean } {
  const state = { read: 0, closed: false };
  const nar = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        state.read += 65_536;
        yield Buffer.alloc(65_536);
      }
    } finally {
      state.closed = true;
    }
  };
  return Object.assign(state, { source: testSource('endless', '', { nar, narSize: 1e12 }) });
}

const TOO_LARGE = '{"code":413,"error":"PayloadTooLarge","message":"Too much."}';

test('an answer before the end is heard when the server stops reading', async () => {
  await using double = await startDouble((request, response) => {
    request.pause();
    response.writeHead(413, { 'Content-Type': 'application/json' });
    response.end(TOO_LARGE);
  });
  const nar = endless();
  await expect(double.client().upload(await nar.source)).rejects.toMatchObject({
    code: 'too-large',
    message: expect.stringContaining('PayloadTooLarge: Too much.') as string,
  });
  await sleep(20);
  expect(nar.closed).toBe(true);
  expect(nar.read).toBeLessThan(64 * 1024 * 1024);
});

test('an answer before the end is heard when the server hangs up at once', async () => {
  // Not node:http, which is kinder to its clients: this one answers and closes with data unread.
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      if (!data.toString('latin1').startsWith('PUT')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
        socket.once('data', () => refuse());
        return;
      }
      refuse();
    });
    const refuse = (): void => {
      const head = `HTTP/1.1 413 Too Large\r\nContent-Length: ${TOO_LARGE.length}\r\nConnection: close\r\n\r\n`;
      socket.write(head + TOO_LARGE, () => socket.destroy());
    };
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (let round = 0; round < 20; round += 1) {
      using client = new CacheClient({ endpoint, cache: 'main' });
      await expect(client.upload(await endless().source)).rejects.toMatchObject({
        code: 'too-large',
      });
    }
  } finally {
    server.close();
  }
});

test('a server that has the NAR need not read it', async () => {
  await using double = await startDouble((request, response) => {
    request.pause();
    response.end(JSON.stringify({ kind: 'Deduplicated', frac_deduplicated: null }));
  });
  const client = double.client();
  const nar = endless();
  expect(await client.upload(await nar.source)).toEqual({ deduplicated: 1 });
  // Its connection is not used again: half a NAR is still in it.
  expect(await client.upload(await endless().source)).toEqual({ deduplicated: 1 });
});

test('when reading the path fails, its error is thrown and the server sees no end', async () => {
  const ended: string[] = [];
  await using double = await startDouble((request) => {
    request.resume();
    request.once('end', () => ended.push('end'));
    request.once('error', () => ended.push('error'));
  });
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(10);
    await sleep(20);
    throw new FlywheelError('conflict', 'the file changed');
  };
  const source = await testSource('p', '', { nar: failing });
  await expect(double.client().upload(source)).rejects.toThrow('the file changed');
  await expect.poll(() => ended).toEqual(['error']);
});

test('an upload can be aborted', async () => {
  await using double = await startDouble((request) => void request.resume());
  const abort = new AbortController();
  const nar = endless();
  const upload = double.client().upload(await nar.source, { signal: abort.signal });
  setTimeout(() => abort.abort(new Error('enough')), 50);
  await expect(upload).rejects.toThrow('enough');
  await expect.poll(() => nar.closed).toBe(true);
});

test('a slow server slows the reading down', async () => {
  await using double = await startDouble((request) => void request.pause());
  const abort = new AbortController();
  const nar = endless();
  const upload = double.client().upload(await nar.source, { signal: abort.signal });
  await sleep(300);
  const read = nar.read;
  await sleep(200);
  expect(nar.read).toBe(read);
  expect(read).toBeLessThan(64 * 1024 * 1024);
  abort.abort(new Error('enough'));
  await expect(upload).rejects.toThrow('enough');
});

test('silence ends, and no server says what to check', async () => {
  await using double = await startDouble((request) => void request.resume());
  const client = double.client({ idleTimeoutMs: 200 });
  await expect(client.upload(await testSource('p'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('was silent') as string,
  });
  const nobody = new CacheClient({
    endpoint: 'http://127.0.0.1:9',
    cache: 'main',
    firstDelayMs: 1,
  });
  await expect(nobody.cacheConfig()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('http://127.0.0.1:9 cannot be reached') as string,
  });
});

test('asks for its configuration once, and again when that failed', async () => {
  const answers = [
    { priority: 'high' },
    { public_key: 'main:AA', retention_period: { Period: 60 } },
  ];
  await using double = await startDouble(
    (request, response) => answerJson(request, response, 200, { missing_paths: [] }),
    () => answers.shift() ?? {},
  );
  const client = double.client();
  await expect(client.cacheConfig()).rejects.toMatchObject({ code: 'unsupported' });
  expect(await client.cacheConfig()).toEqual({
    publicKey: 'main:AA',
    retentionPeriod: 60,
    upstreamCacheKeyNames: [],
  });
  await client.missingPaths([]);
  await client.missingPaths(['0'.repeat(32)]);
  expect(double.requests.map(({ url }) => url)).toEqual([
    '/_api/v1/cache-config/main',
    '/_api/v1/cache-config/main',
    '/_api/v1/get-missing-paths',
  ]);
});

test('missing paths are asked for in batches of 20,000', async () => {
  const sizes: number[] = [];
  await using double = await startDouble((request, response, earlier) => {
    if (earlier === 0) {
      answerJson(request, response, 500, {});
      return;
    }
    void collect(request, 1e8).then((body) => {
      const { store_path_hashes: hashes } = JSON.parse(String(body)) as {
        store_path_hashes: string[];
      };
      sizes.push(hashes.length);
      response.end(JSON.stringify({ missing_paths: hashes.slice(0, 1) }));
    });
  });
  const hashes = Array.from({ length: 40_001 }, (_, i) => String(i).padStart(32, '0'));
  const missing = await double.client().missingPaths(hashes);
  expect(sizes).toEqual([20_000, 20_000, 1]);
  expect([...missing]).toEqual([hashes[0], hashes[20_000], hashes[40_000]]);
});

test('goes where the configuration sends it, with the token', async () => {
  await using api = await startDouble((request, response) =>
    answerJson(request, response, 200, { missing_paths: [] }),
  );
  await using substituter = await startDouble((_request, response) => {
    response.writeHead(404).end();
  });
  await using endpoint = await startDouble(
    (_request, response) => void response.writeHead(500).end(),
    () => ({ api_endpoint: api.url, substituter_endpoint: `${substituter.url}sub/main` }),
  );
  const client = endpoint.client({ token: 'abc' });
  const hash = '0'.repeat(32);
  await client.missingPaths([hash]);
  expect(await client.narInfo(hash)).toBeUndefined();
  const seen = [endpoint, api, substituter].map(({ requests }) =>
    requests.map(({ url, headers }) => `${url} ${headers.authorization}`),
  );
  expect(seen).toEqual([
    ['/_api/v1/cache-config/main Bearer abc'],
    ['/_api/v1/get-missing-paths Bearer abc'],
    [`/sub/main/${hash}.narinfo Bearer abc`],
  ]);
});

const PATH = `/nix/store/${baseNameFor('path')}`;
const HASH = baseNameFor('path').slice(0, 32);

function narInfo(changes: Partial<NarInfo> = {}): NarInfo {
  return {
    storePath: PATH,
    url: `nar/${HASH}.nar`,
    compression: 'none',
    narHash: Buffer.alloc(32),
    narSize: 300_000,
    references: [],
    sigs: [],
    ...changes,
  };
}

test('a narinfo must be one, and of the path that was asked for', async () => {
  const texts = [
    'nonsense',
    formatNarInfo(narInfo({ storePath: `/nix/store/${baseNameFor('b')}` })),
  ];
  await using double = await startDouble((_request, response, earlier) => {
    response.end(texts[earlier]);
  });
  const client = double.client();
  await expect(client.narInfo(HASH)).rejects.toMatchObject({ code: 'corrupt' });
  await expect(client.narInfo(HASH)).rejects.toThrow(/describes another path/);
  await expect(client.narInfo('../../etc')).rejects.toMatchObject({ code: 'invalid-input' });
});

test('a cache that is gone is not one without this path', async () => {
  await using double = await startDouble((request, response) =>
    answerJson(request, response, 404, { code: 404, error: 'NoSuchCache', message: 'Gone.' }),
  );
  await expect(double.client().narInfo(HASH)).rejects.toMatchObject({ code: 'not-found' });
});

const FILE = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) >>> 5));

test('a download that breaks goes on where it was', async () => {
  const asked: unknown[][] = [];
  await using double = await startDouble((request, response, earlier) => {
    const { range, 'if-range': ifRange } = request.headers;
    asked.push([range, ifRange]);
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(range === undefined ? 200 : 206, {
      ETag: '"one"',
      'Content-Length': FILE.length - start,
      ...(range === undefined ? {} : { 'Content-Range': `bytes ${start}-299999/300000` }),
    });
    if (earlier === 3) {
      response.end(FILE.subarray(start));
      return;
    }
    response.write(FILE.subarray(start, start + 50_000), () =>
      setTimeout(() => response.destroy(), 30),
    );
  });
  const body = await collect(double.client().nar(narInfo()), 1e6);
  expect(body.equals(FILE)).toBe(true);
  expect(asked).toEqual([
    [undefined, undefined],
    ['bytes=50000-', '"one"'],
    ['bytes=100000-', '"one"'],
    ['bytes=150000-', '"one"'],
  ]);
});

test('a server without ranges sends all again, of which the known part is passed over', async () => {
  await using double = await startDouble((_request, response, earlier) => {
    if (earlier === 1) {
      response.end(FILE);
      return;
    }
    response.write(FILE.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 30));
  });
  const body = await collect(double.client().nar(narInfo()), 1e6);
  expect(body.equals(FILE)).toBe(true);
});

test('a connection closed early counts as broken when the size is known', async () => {
  await using double = await startDouble((request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = start === 0 ? {} : { 'Content-Range': `bytes ${start}-299999/300000` };
    response.writeHead(start === 0 ? 200 : 206, { Connection: 'close', ...headers });
    // Without Content-Length and chunks, the end of the connection is the end of the body.
    response.useChunkedEncodingByDefault = false;
    response.end(FILE.subarray(start, start + 200_000));
  });
  const body = await collect(double.client().nar(narInfo({ fileSize: FILE.length })), 1e6);
  expect(body.equals(FILE)).toBe(true);
});

test('a file that changed is not patched together, and a dead server not asked for ever', async () => {
  await using changing = await startDouble((_request, response, earlier) => {
    response.writeHead(200, { ETag: `"${earlier}"`, 'Content-Length': FILE.length });
    response.write(FILE.subarray(0, 10_000), () => setTimeout(() => response.destroy(), 30));
  });
  await expect(collect(changing.client().nar(narInfo()), 1e6)).rejects.toThrow(/changed while/);
  expect(changing.requests.length).toBe(3);
  await using dead = await startDouble((_request, response) => void response.destroy());
  await expect(collect(dead.client().nar(narInfo()), 1e6)).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(dead.requests.length).toBe(1 + 5);
  await using refusing = await startDouble((request, response) =>
    answerJson(request, response, 403, { code: 403, error: 'AccessError', message: 'No.' }),
  );
  await expect(collect(refusing.client().nar(narInfo()), 1e6)).rejects.toMatchObject({
    code: 'forbidden',
  });
  expect(refusing.requests.length).toBe(2);
});

test('a redirect is followed without the token, and not for ever', async () => {
  await using store = await startDouble((_request, response) => void response.end(FILE));
  await using double = await startDouble((request, response) => {
    const location =
      request.url === `/main/nar/${HASH}.nar` ? `${store.url}bucket/x?sig=1` : '/loop';
    response.writeHead(307, { Location: location }).end();
  });
  const client = double.client({ token: 'abc' });
  expect((await collect(client.nar(narInfo()), 1e6)).equals(FILE)).toBe(true);
  expect(store.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ['/bucket/x?sig=1', undefined],
  ]);
  await expect(client.narInfo(HASH)).rejects.toThrow(/redirects more than 10 times/);
});

test('an upload is not redirected', async () => {
  await using double = await startDouble((request, response) => {
    request.resume();
    response.writeHead(308, { Location: 'https://new.example/' }).end();
  });
  await expect(double.client().upload(await testSource('p'))).rejects.toMatchObject({
    code: 'invalid-input',
    details: { status: 308, hint: expect.stringContaining('https://new.example/') as string },
  });
});

test('connections are kept and used again', async () => {
  const ports = new Set<number | undefined>();
  await using double = await startDouble((request, response) => {
    ports.add(request.socket.remotePort);
    answerJson(request, response, 200, UPLOADED);
  });
  const client = double.client();
  for (let i = 0; i < 5; i += 1) await client.upload(await testSource(`p${i}`));
  expect(ports.size).toBe(1);
});

test('what could never work is refused at once', () => {
  const make = (options: { cache?: string; token?: string; endpoint?: string }) => () =>
    new CacheClient({ endpoint: 'http://c.example', cache: 'main', ...options });
  for (const options of [{ cache: 'a/b' }, { cache: '' }, { token: '' }, { endpoint: 'c' }]) {
    expect(make(options)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  }
  expect(make({ token: 'geheim\r\nX-Evil: 1' })).toThrow(/^(?!.*geheim)/);
  expect(make({ token: ' abc\n', cache: 'alice+shared' })).not.toThrow();
});
