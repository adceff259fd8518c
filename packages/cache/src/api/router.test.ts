import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { ApiContext, type Answer } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { Reply } from './reply.ts';
import { Router } from './router.ts';

function request(method: string, url: string): ApiContext {
  const exchange: Exchange = {
    requestId: 'x',
    route: 'other',
    body: { patienceMs: 1, bytesPerSecond: 1 },
  };
  return new ApiContext({ method, url } as IncomingMessage, {} as ServerResponse, exchange);
}

/** Answers with the route that was taken, and its params. */
function routerOf(...paths: readonly string[]): Router {
  const router = new Router();
  for (const path of paths) {
    router.route(path, { GET: (c) => c.text(`${path} ${[...c.params.values()].join('|')}`) });
  }
  return router;
}

async function taken(router: Router, url: string, method = 'GET'): Promise<Answer | string> {
  const answer = await router.answer(request(method, url));
  return typeof answer === 'object' && answer.status === 200 ? textOf(answer) : answer;
}

function textOf({ body }: Reply): string {
  return Buffer.from(body as string, 'latin1').toString();
}

test.each([
  ['/', '/ '],
  ['/metrics', '/metrics '],
  ['/main/nix-cache-info', '/:cache/nix-cache-info main'],
  ['/main/x.narinfo?a=/b#c', '/:cache/:file main|x.narinfo'],
  ['/main/nar/x.nar', '/:cache/nar/:file main|x.nar'],
  ['/%6Detrics', '/metrics '],
  ['/a%2Fb/%C3%A4', '/:cache/:file a/b|ä'],
  ['/a%/%C3%28', '/:cache/:file a%|%C3%28'],
  ['/../x', '/:cache/:file ..|x'],
  ['http://cache.example.org/metrics', '/metrics '],
  ['HTTPS://cache.example.org:8443?x', '/ '],
])('%s is led to %s', async (url, expected) => {
  const router = routerOf(
    '/',
    '/metrics',
    '/:cache/nix-cache-info',
    '/:cache/nar/:file',
    '/:cache/:file',
  );
  expect(await taken(router, url)).toBe(expected);
});

test.each(['/metrics/', '//x', '/main/', '/main/nar/', '/a/b/c/d', '*', '', 'metrics'])(
  '%j leads nowhere',
  async (url) => {
    const router = routerOf('/metrics', '/:cache/:file', '/:cache/nar/:file');
    await expect(router.answer(request('GET', url))).rejects.toMatchObject({ code: 'not-found' });
  },
);

test('HEAD follows GET, and what a path does not take is told', async () => {
  const router = new Router();
  router.route('/x', { GET: (c) => c.text(c.method), DELETE: (c) => c.body(null, 204) });

  expect(await taken(router, '/x', 'HEAD')).toBe('HEAD');
  for (const method of ['PUT', 'OPTIONS', 'constructor']) {
    expect(await taken(router, '/x', method)).toEqual({
      status: 405,
      headers: ['Allow', 'GET,HEAD,DELETE', 'Content-Length', '0'],
      body: '',
    });
  }
});

test('answers have the length of their bytes, and none that is not known', () => {
  const get = request('GET', '/');
  expect(get.json({ name: 'ä€' }, 201, { ETag: '"1"' })).toEqual({
    status: 201,
    headers: ['Content-Type', 'application/json', 'ETag', '"1"', 'Content-Length', '16'],
    body: Buffer.from('{"name":"ä€"}').toString('latin1'),
  });
  expect(get.body(Buffer.from([0, 255])).headers).toEqual(['Content-Length', '2']);
  expect(get.body('ä', 200, { 'Content-Length': '2' }).headers).toEqual(['Content-Length', '2']);
  expect(get.body(null).headers).toEqual(['Content-Length', '0']);
  expect(get.body(null, 204).headers).toEqual([]);
  expect(request('HEAD', '/').body(null, 200, { ETag: '"1"' }).headers).toEqual(['ETag', '"1"']);
});

test('of a parameter that is there several times the first counts', () => {
  expect(request('GET', '/x?a=1&b=%C3%A4+c&a=2&__proto__=3&d').query()).toEqual({
    a: '1',
    b: 'ä c',
    ['__proto__']: '3',
    d: '',
  });
});
