import assert from 'node:assert/strict';
import { createLogger } from '@flywheel/base';
import type { FuzzTarget } from '@flywheel/testing/fuzz';
import { samplePath, startTestServer, upload, type RequestOptions } from '../harness.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
/** What frames a message, or leads elsewhere, is Node's business and would only make us wait. */
const NOT_OURS =
  /^(?:content-length|transfer-encoding|expect|upgrade|connection|host|te|trailer)$/i;

/**
 * `WHO METHOD PATH`, header lines, an empty line, the body: whatever is sent to a whole server, the
 * answer is never a fault of the server. Nobody here may configure a cache: an upstream that some
 * input names would be asked.
 */
export async function openTarget(): Promise<FuzzTarget> {
  let fault: string | undefined;
  const logger = createLogger((line) => {
    if (line.includes('"level":"error"')) fault = line;
  }, 'warn');
  const server = await startTestServer({ logger, checkReads: false });
  await server.createCache('pub', { is_public: true });
  await server.createCache('priv');
  const hello = await samplePath('hello', 'Hello, world!\n');
  await upload(server, hello, 'pub');
  await upload(server, hello, 'priv');
  const tokens: Readonly<Record<string, string>> = {
    reader: await server.token({ pull: ['pub'] }),
    writer: await server.token({ pull: ['*'], push: ['*'] }),
  };
  const info = JSON.stringify(hello.info('pub'));
  const missing = JSON.stringify({ cache: 'pub', store_path_hashes: [hello.hash] });
  return {
    covers: ['packages/cache/src/'],
    inputsPerLook: 8,
    seeds: [
      `none GET /pub/${hello.hash}.narinfo\n\n`,
      `none GET /pub/nar/${hello.hash}.nar\nrange: bytes=0-9\n\n`,
      `reader GET /priv/${hello.hash}.ls\n\n`,
      `none GET /pub/nix-cache-info\n\n`,
      `writer GET /_flywheel/v1/caches/priv/paths?limit=1\n\n`,
      `writer PUT /_api/v1/upload-path\nx-attic-nar-info: ${info}\n\n${hello.nar.toString('latin1')}`,
      `writer POST /_api/v1/get-missing-paths\ncontent-type: application/json\n\n${missing}`,
    ].map((text) => Buffer.from(text, 'latin1')),
    // prettier-ignore
    dictionary: [
      ...METHODS.map((method) => `none ${method} /`), 'none ', 'reader ', 'writer ',
      '/', '//', '/..', '%2f', '%00', '%', '%c3%28', '?a=%', '#', '?limit=', '&after=', '?search=',
      'pub', 'priv', '_api/v1/', '_flywheel/v1/', 'caches', 'cache-config/', 'nar/', 'log/', 'paths',
      'realisations/', 'nix-cache-info', 'attic-cache-info', 'pins/', 'runs/', 'tokens', 'audit',
      'revocations', 'exchange', 'metrics', 'healthz', 'readyz', '_status.json', '.narinfo', '.ls',
      '.well-known/jwks.json', '.nar', '.nar.xz', hello.hash, '0'.repeat(52), '{"', '\n\n',
      '\nif-none-match: ', '\nif-range: ', '\nrange: bytes=', '\nauthorization: Bearer a.b.c',
      '\ncontent-type: application/json', '\naccept: text/html', '\ncontent-encoding: zstd',
      '\nx-attic-nar-info: {}', '\nx-attic-nar-info-preamble-size: 9', '\nx-forwarded-for: ',
    ],
    async run(input) {
      const text = Buffer.from(input).toString('latin1');
      const [head = '', ...rest] = text.split('\n\n');
      const [line = '', ...headerLines] = head.split('\n');
      const [who = '', method = '', ...path] = line.split(' ');
      const url = encodeURI(path.join(' ')).replaceAll('%25', '%');
      if (!METHODS.includes(method) || !url.startsWith('/')) return;
      const token = tokens[who];
      const options: RequestOptions = {
        headers: headersOf(headerLines),
        body: [Buffer.from(rest.join('\n\n'), 'latin1')],
        ...(token === undefined ? {} : { token }),
      };
      const { status, text: answer } = await server.request(method, url, options);
      assert.ok(status < 500, `${status} ${answer}`);
      assert.equal(fault, undefined);
    },
    close: () => server.close(),
  };
}

/** Those that Node sends at all. */
function headersOf(lines: readonly string[]): Readonly<Record<string, string>> {
  const headers = lines.flatMap((line) => {
    const [, name = '', value = ''] = /^([\w-]+): ?([\x20-\x7e]*)$/.exec(line) ?? [];
    return name === '' || NOT_OURS.test(name) ? [] : [[name.toLowerCase(), value] as const];
  });
  return Object.fromEntries(headers);
}
