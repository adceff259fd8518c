import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startHttpServer, type HttpServer } from './http-server.ts';

const REQUEST = 'PUT / HTTP/1.1\r\nHost: cache\r\nContent-Length: 4\r\n\r\n';
const ANYWHERE = { host: '127.0.0.1', port: 0 };

function startEcho(): Promise<HttpServer> {
  return startHttpServer(ANYWHERE, async (incoming, outgoing) => {
    const body = await text(incoming);
    outgoing.end(body.toUpperCase());
  });
}

async function connectTo({ url }: HttpServer): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

test('who had connected before the end is answered, who has not spoken is let go', async () => {
  const server = await startEcho();
  const [late, silent] = [await connectTo(server), await connectTo(server)];
  const startedAt = performance.now();
  const closed = server.close(60_000);
  await sleep(100);
  late.write(REQUEST);
  await sleep(50);
  late.write('last');
  expect(await text(late)).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nLAST$/su);
  expect(await text(silent)).toBe('');
  await closed;
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

test('a connection kept alive ends with the server', async () => {
  const server = await startEcho();
  const kept = await connectTo(server);
  kept.write(`${REQUEST}once`);
  expect(String((await once(kept, 'data')) as unknown)).toContain('ONCE');
  const ended = text(kept);
  await server.close(60_000);
  expect(await ended).toBe('');
});
