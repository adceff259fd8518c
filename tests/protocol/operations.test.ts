import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from '@flywheel/base';
import type { CacheServerOptions } from '@flywheel/cache';
import {
  samplePath,
  startTestServer,
  upload,
  type SamplePath,
  type TestServer,
} from './harness.ts';

let stops: (() => Promise<unknown>)[] = [];
let hello: SamplePath;
beforeEach(async () => {
  hello = await samplePath('hello', 'Hello, world!\n');
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

async function start(options: Partial<CacheServerOptions> = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  stops.push(() => server.close());
  await server.createCache('pub', { is_public: true });
  return server;
}

/** A path with so many bytes that do not compress. */
async function incompressible(bytes: number): Promise<SamplePath> {
  const noise = Buffer.alloc(bytes);
  let state = 1;
  for (let i = 0; i < bytes; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    noise.writeUInt32LE(state, i);
  }
  return samplePath('noise', noise);
}

/** An upload that is sent by hand. */
function beginUpload(server: TestServer, path: SamplePath): ClientRequest {
  const { hostname, port } = new URL(server.server.url);
  const request = httpRequest({
    hostname,
    port,
    method: 'PUT',
    path: '/_api/v1/upload-path',
    agent: false,
    headers: {
      Authorization: `Bearer ${server.server.adminToken}`,
      'Content-Length': path.nar.length,
      'X-Attic-Nar-Info': JSON.stringify(path.info('pub')),
    },
  });
  request.flushHeaders();
  return request;
}

async function answerTo(
  request: ClientRequest,
): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve).once('error', reject);
  const response = await promise;
  const pieces = await Array.fromAsync(response as AsyncIterable<Buffer>);
  const { statusCode: status = 0, headers } = response;
  return { status, headers, text: Buffer.concat(pieces).toString() };
}

async function metric(server: TestServer, line: string): Promise<number | undefined> {
  const { text } = await server.request('GET', '/metrics', { token: server.server.adminToken });
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return;
    await sleep(25);
  }
  throw new Error('it did not happen within 5 seconds');
}

async function rawConnection(server: TestServer): Promise<{ socket: Socket; text: () => string }> {
  const { hostname, port } = new URL(server.server.url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (piece: Buffer) => (received += piece.toString()));
  socket.on('error', () => {});
  await once(socket, 'connect');
  stops.push(async () => socket.destroy());
  return { socket, text: () => received };
}

test('alive and ready, for everybody and whatever Host they ask for', async () => {
  const server = await startTestServer({ settings: { allowedHosts: ['cache.example.org'] } });
  stops.push(() => server.close());
  const alive = await server.request('GET', '/healthz');
  expect([alive.status, alive.text]).toEqual([200, '{"status":"ok"}']);
  const ready = await server.request('GET', '/readyz');
  expect([ready.status, ready.text]).toEqual([200, '{"status":"ready"}']);
  expect(ready.headers['cache-control']).toBe('no-store');
  expect((await server.request('GET', '/metrics')).status).toBe(400);
  expect((await server.request('POST', '/healthz')).headers.allow).toBe('GET,HEAD');
});

test('not ready while packs cannot be written, and ready again when they can', async () => {
  let now = Date.now();
  const lines: string[] = [];
  const logger = createLogger((line) => lines.push(line));
  const server = await start({ clock: { now: () => now }, logger });
  await rename(join(server.dataDir, 'tmp'), join(server.dataDir, 'gone'));
  expect((await server.request('GET', '/readyz')).status).toBe(503);
  expect((await server.request('GET', '/readyz')).text).toBe(
    '{"status":"failing","failing":["blobs"]}',
  );
  await rename(join(server.dataDir, 'gone'), join(server.dataDir, 'tmp'));
  expect((await server.request('GET', '/readyz')).status).toBe(503);
  now += 2001;
  expect((await server.request('GET', '/readyz')).status).toBe(200);
  expect((await server.request('GET', '/healthz')).status).toBe(200);
  const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
  expect(messages.filter((message) => message.includes('ready'))).toEqual([
    'not ready',
    'ready again',
  ]);
});

test('the figures of a push and a pull', async () => {
  const server = await start();
  await upload(server, hello, 'pub');
  await upload(server, hello, 'pub');
  const absent = '0'.repeat(32);
  for (let i = 0; i < 3; i += 1) {
    expect((await server.request('GET', `/pub/${hello.hash}.narinfo`)).status).toBe(200);
    expect((await server.request('GET', `/pub/${absent}.narinfo`)).status).toBe(404);
  }
  await server.request('GET', `/pub/nar/${hello.hash}.nar`);
  await server.request('GET', '/no/such/path');

  const reply = await server.request('GET', '/metrics');
  expect(reply.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = reply.text.split('\n');
  for (const line of [
    'flywheel_cache_requests_total{route="get-narinfo",status="200"} 3',
    'flywheel_cache_requests_total{route="get-narinfo",status="404"} 3',
    'flywheel_cache_requests_total{route="upload-path",status="200"} 2',
    'flywheel_cache_requests_total{route="get-nar",status="200"} 1',
    'flywheel_cache_requests_total{route="other",status="404"} 1',
    'flywheel_cache_request_duration_seconds_count{route="get-narinfo"} 6',
    'flywheel_cache_request_duration_seconds_bucket{le="+Inf",route="get-narinfo"} 6',
    'flywheel_cache_narinfo_lookups_total{result="hit"} 3',
    'flywheel_cache_narinfo_lookups_total{result="miss"} 3',
    'flywheel_cache_uploads_total{kind="uploaded"} 1',
    'flywheel_cache_uploads_total{kind="deduplicated"} 1',
    `flywheel_cache_upload_bytes_total ${2 * hello.nar.length}`,
    `flywheel_cache_deduplicated_bytes_total ${hello.nar.length}`,
    'flywheel_cache_uploads_in_flight 0',
    'flywheel_cache_downloads_in_flight 0',
    'flywheel_cache_use_tracker_pending 1',
    'flywheel_cache_damage_found_total 0',
    'flywheel_cache_audit_lost_total 0',
    'flywheel_cache_reclaim_runs_total{result="ok"} 1',
    'flywheel_cache_store_entries{what="objects"} 1',
    `flywheel_cache_store_bytes{kind="logical"} ${hello.nar.length}`,
    'flywheel_cache_frame_slots{state="used"} 0',
  ]) {
    expect(lines).toContain(line);
  }
  expect(await metric(server, 'flywheel_cache_database_statements_total')).toBeGreaterThan(10);
  expect(reply.text).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(reply.text).not.toMatch(/pub|hello|\/no/);
});

test('the figures are for holders of a token where the status page is', async () => {
  const server = await start({ settings: { publicStatus: false } });
  expect((await server.request('GET', '/metrics')).status).toBe(401);
  const token = await server.token({ pull: ['pub'] });
  expect((await server.request('GET', '/metrics', { token })).status).toBe(200);
});

test('a listener of its own shows the figures to everybody, and nothing else', async () => {
  const metricsListen = { host: '127.0.0.1', port: 0 };
  const server = await start({ metricsListen, settings: { publicStatus: false } });
  const { metricsUrl } = server.server;
  const ask = async (path: string) => (await fetch(new URL(path, metricsUrl))).status;
  expect(await ask('metrics')).toBe(200);
  expect(await ask('healthz')).toBe(200);
  expect(await ask('readyz')).toBe(200);
  for (const path of ['', '_status.json', 'pub/nix-cache-info', '_api/v1/caches']) {
    expect(await ask(path)).toBe(404);
  }
});

test('a listener that cannot be opened leaves none behind', async () => {
  const taken = await start();
  const { port } = new URL(taken.server.url);
  const metricsListen = { host: '127.0.0.1', port: Number(port) };
  await expect(startTestServer({ metricsListen })).rejects.toMatchObject({ code: 'conflict' });
});

test('caches may be called as the endpoints are', async () => {
  const server = await start();
  for (const name of ['healthz', 'readyz', 'metrics']) {
    await server.createCache(name, { is_public: true });
    await upload(server, hello, name);
    expect((await server.request('GET', `/${name}/nix-cache-info`)).status).toBe(200);
    expect((await server.request('GET', `/${name}/${hello.hash}.narinfo`)).status).toBe(200);
    expect((await server.request('GET', `/${name}/nar/${hello.hash}.nar`)).status).toBe(200);
  }
});

test('errors carry the number of their request, and the log has it', async () => {
  const lines: string[] = [];
  const server = await start({ logger: createLogger((line) => lines.push(line), 'debug') });
  const path = `/pub/${'0'.repeat(32)}.narinfo`;
  const ask = async (given: string) =>
    (await server.request('GET', path, { headers: { 'X-Request-Id': given } })).headers[
      'x-request-id'
    ];
  // The first is answered by the endpoint, the second from memory.
  expect(await ask('3f2c:proxy.1')).toBe('3f2c:proxy.1');
  expect(await ask('3f2c:proxy.2')).toBe('3f2c:proxy.2');
  const own = await ask('x'.repeat(200));
  expect(own).toMatch(/^[0-9a-f]{10}-[0-9a-z]+$/);
  expect(await ask('"><script>')).not.toBe(own);

  const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const requestId of ['3f2c:proxy.1', '3f2c:proxy.2', own]) {
    expect(logged.find((line) => line['requestId'] === requestId)).toMatchObject({
      level: 'debug',
      message: 'request',
      method: 'GET',
      route: 'get-narinfo',
      path,
      status: 404,
      ms: expect.any(Number),
    });
  }
});

test('a server fault is one line with its cause, under the number in the answer', async () => {
  const lines: string[] = [];
  const server = await start({ logger: createLogger((line) => lines.push(line)) });
  await rename(join(server.dataDir, 'tmp'), join(server.dataDir, 'gone'));
  const reply = await upload(server, hello, 'pub');
  expect(reply.status).toBe(500);
  const failed = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['requestId'] !== undefined && line['message'] !== 'audit');
  expect(failed).toMatchObject([
    { level: 'error', message: 'request failed', requestId: reply.headers['x-request-id'] },
  ]);
  expect(JSON.stringify(failed[0]?.['error'])).toContain('ENOENT');
  expect(reply.text).not.toContain('ENOENT');
});

test('an upload too many waits, and is told to come again with its body unread', async () => {
  const server = await start({ uploads: { limit: 1, waitMs: 300 } });
  const large = await incompressible(32 * 1024 * 1024);
  const first = beginUpload(server, hello);
  await waitFor(async () => (await metric(server, 'flywheel_cache_uploads_in_flight')) === 1);

  const second = beginUpload(server, large);
  second.on('error', () => {});
  second.write(large.nar);
  const { status, text, headers } = await answerTo(second);
  expect([status, headers['retry-after'], headers.connection]).toEqual([503, '5', 'close']);
  expect(JSON.parse(text)).toEqual({
    code: 503,
    error: 'Busy',
    message: 'The server has as many uploads as it can take; try again in a few seconds.',
  });
  const received = 'flywheel_cache_network_bytes_total{direction="received"}';
  expect(await metric(server, received)).toBeLessThan(4 * 1024 * 1024);
  second.destroy();

  first.end(hello.nar);
  expect((await answerTo(first)).status).toBe(200);
  expect(await metric(server, 'flywheel_cache_uploads_refused_total')).toBe(1);
  expect((await upload(server, large, 'pub')).status).toBe(200);
});

test('an upload that waits gets the place that comes free', async () => {
  const server = await start({ uploads: { limit: 1, waitMs: 5000 } });
  const other = await samplePath('other', 'other');
  const first = beginUpload(server, hello);
  await waitFor(async () => (await metric(server, 'flywheel_cache_uploads_in_flight')) === 1);
  const second = upload(server, other, 'pub');
  await waitFor(async () => (await metric(server, 'flywheel_cache_uploads_waiting')) === 1);
  first.end(hello.nar);
  expect((await answerTo(first)).status).toBe(200);
  expect((await second).status).toBe(200);
});

test('a body that stops coming is answered with 408, one that comes slowly is taken', async () => {
  const limits = { patienceMs: 400, bodyBytesPerSecond: 20 };
  const server = await start({ limits });
  const silent = beginUpload(server, hello);
  silent.write(hello.nar.subarray(0, 50));
  const reply = await answerTo(silent);
  expect([reply.status, JSON.parse(reply.text)]).toMatchObject([408, { error: 'RequestTimeout' }]);
  expect(await metric(server, 'flywheel_cache_uploads_in_flight')).toBe(0);

  const slow = beginUpload(server, hello);
  const answer = answerTo(slow);
  const beganAt = performance.now();
  for (let at = 0; at < hello.nar.length; at += 10) {
    slow.write(hello.nar.subarray(at, at + 10));
    await sleep(80);
  }
  slow.end();
  expect((await answer).status).toBe(200);
  expect(performance.now() - beganAt).toBeGreaterThan(2 * limits.patienceMs);
});

test('waiting for a place does not count against the sender', async () => {
  const server = await start({
    uploads: { limit: 1, waitMs: 10_000 },
    limits: { patienceMs: 1000, bodyBytesPerSecond: 20 },
  });
  const other = await samplePath('other', 'other');
  const first = beginUpload(server, hello);
  const answer = answerTo(first);
  // From the start: a busy machine may take longer than the patience to see that it is in flight.
  const sending = (async () => {
    for (let at = 0; at < hello.nar.length; at += 10) {
      first.write(hello.nar.subarray(at, at + 10));
      await sleep(150);
    }
    first.end();
  })();
  await waitFor(async () => (await metric(server, 'flywheel_cache_uploads_in_flight')) === 1);
  const second = upload(server, other, 'pub');
  await sending;
  expect((await answer).status).toBe(200);
  expect((await second).status).toBe(200);
});

test('a head that never ends, and one that is too large', async () => {
  const server = await start({ limits: { headersTimeoutMs: 300 } });
  const dribble = await rawConnection(server);
  dribble.socket.write('GET /pub/nix-cache-info HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  await once(dribble.socket, 'close');
  expect(dribble.text()).toMatch(/^HTTP\/1\.1 408 /);

  const large = await rawConnection(server);
  large.socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(40_000)}\r\n\r\n`);
  await once(large.socket, 'close');
  expect(large.text()).toMatch(/^HTTP\/1\.1 431 /);
  expect((await server.request('GET', '/healthz')).status).toBe(200);
});

test('connections too many are closed at once and counted', async () => {
  const server = await start({ limits: { maxConnections: 3 } });
  const held = [await rawConnection(server), await rawConnection(server)];
  const third = await rawConnection(server);
  const fourth = await rawConnection(server);
  await once(fourth.socket, 'close');
  expect(fourth.text()).toBe('');
  for (const { socket } of [...held, third]) socket.destroy();
  await waitFor(async () => {
    const dropped = await metric(server, 'flywheel_cache_connections_dropped_total').catch(
      () => undefined,
    );
    return dropped !== undefined && dropped >= 1;
  });
});

test('a download that nobody takes is cut', async () => {
  const server = await start({ limits: { patienceMs: 400 } });
  const large = await incompressible(24 * 1024 * 1024);
  expect((await upload(server, large, 'pub')).status).toBe(200);
  const { socket } = await rawConnection(server);
  socket.pause();
  socket.write(`GET /pub/nar/${large.hash}.nar HTTP/1.1\r\nHost: x\r\n\r\n`);
  await waitFor(async () => (await metric(server, 'flywheel_cache_downloads_in_flight')) === 1);
  await waitFor(async () => (await metric(server, 'flywheel_cache_downloads_in_flight')) === 0);
});

test('rubbish behind a request for a NAR leaves no download open', async () => {
  const server = await start();
  await upload(server, hello, 'pub');
  const { hostname, port } = new URL(server.server.url);
  const head = `GET /pub/nar/${hello.hash}.nar HTTP/1.1\r\nHost: a\r\n\r\n`;
  for (let i = 0; i < 60; i += 1) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).resume();
    socket.write(head);
    // Node closes the connection at once: here before, while, or after the answer is written.
    for (let turn = 0; turn < i % 6; turn += 1) await nextTurn();
    socket.write('rubbish');
    await once(socket, 'close');
  }

  // Each held a MiB, and the end of the server waited for it for ever.
  await waitFor(async () => (await metric(server, 'flywheel_cache_downloads_in_flight')) === 0);
});

test('a shutdown drains, lets an upload end, and takes nothing new', async () => {
  const server = await startTestServer({ shutdown: { drainMs: 700, graceMs: 5000 } });
  await server.createCache('pub', { is_public: true });
  // Connections that are only open, or have been used, do not hold it up.
  await rawConnection(server);
  const used = new Agent({ keepAlive: true });
  stops.push(async () => used.destroy());
  await answerTo(httpRequest(new URL('healthz', server.server.url), { agent: used }).end());
  const push = beginUpload(server, hello);
  push.write(hello.nar.subarray(0, 20));
  await waitFor(async () => (await metric(server, 'flywheel_cache_uploads_in_flight')) === 1);

  const beganAt = performance.now();
  const closed = server.close();
  await waitFor(async () => (await server.request('GET', '/readyz')).status === 503);
  const draining = await server.request('GET', '/readyz');
  expect([draining.status, draining.text]).toEqual([503, '{"status":"draining"}']);
  expect(draining.headers.connection).toBe('close');
  expect((await server.request('GET', '/healthz')).status).toBe(200);
  await sleep(900);
  await expect(server.request('GET', '/readyz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  push.end(hello.nar.subarray(20));
  expect((await answerTo(push)).status).toBe(200);
  await closed;
  expect(performance.now() - beganAt).toBeLessThan(4000);
});

test('what has not ended after the grace period is cut and leaves nothing half', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-operations-'));
  stops.push(() => rm(dataDir, { recursive: true }));
  const server = await startTestServer({ dataDir, shutdown: { graceMs: 200 } });
  await server.createCache('pub', { is_public: true });
  const push = beginUpload(server, hello);
  push.write(hello.nar.subarray(0, 20));
  const cut = answerTo(push);
  cut.catch(() => {});
  await waitFor(async () => (await metric(server, 'flywheel_cache_uploads_in_flight')) === 1);
  await server.close();
  await expect(cut).rejects.toMatchObject({ code: 'ECONNRESET' });

  const again = await startTestServer({ dataDir });
  stops.push(() => again.close());
  expect((await again.request('GET', `/pub/${hello.hash}.narinfo`)).status).toBe(404);
  expect((await upload(again, hello, 'pub')).json()).toMatchObject({ kind: 'Uploaded' });
});

test('a commit under way at the end is there afterwards, whole or not at all', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-operations-'));
  stops.push(() => rm(dataDir, { recursive: true }));
  const path = await incompressible(256 * 1024);
  for (const delayMs of [0, 2, 5, 10, 20, 40]) {
    const server = await startTestServer({ dataDir, shutdown: { graceMs: 0 } });
    const name = `at-${delayMs}`;
    await server.createCache(name, { is_public: true });
    const answered = upload(server, path, name).then(
      ({ status }) => status,
      () => undefined,
    );
    await sleep(delayMs);
    await server.close();
    const status = await answered;

    const again = await startTestServer({ dataDir });
    const info = await again.request('GET', `/${name}/${path.hash}.narinfo`);
    const nar = await again.request('GET', `/${name}/nar/${path.hash}.nar`);
    await again.close();
    if (status === 200) expect(info.status).toBe(200);
    expect(nar.status).toBe(info.status);
  }
});
