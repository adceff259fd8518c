import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { formatNarInfo } from '@flywheel/nix';
import { insist, type FuzzTarget } from '@flywheel/testing/fuzz';
import type { LiveCache } from '../../../packages/cache/src/api/cache-directory.ts';
import type { ApiContext } from '../../../packages/cache/src/api/context.ts';
import { checkStorePath, readUploadInfo } from '../../../packages/cache/src/api/upload-info.ts';

const MAX_PREAMBLE = 2000;
const CACHE = { name: 'pub', storeDir: '/nix/store' } as LiveCache;

/**
 * `SIZE\nJSON and NAR`: a size is that of a preamble in the body, without one the JSON is in the
 * header. Info that was taken fits into a narinfo and into a database; the NAR is what is left.
 */
export function openTarget(): FuzzTarget {
  const json = JSON.stringify(FULL);
  const bare = JSON.stringify(BARE);
  return {
    covers: ['packages/cache/src/api/', 'packages/nix/src/'],
    inputsPerLook: 16,
    seeds: [`${json.length}\n${json}nar`, `\n${bare}`, `${bare.length}\n${bare}`].map((text) =>
      Buffer.from(text),
    ),
    // prettier-ignore
    dictionary: [
      ...Object.keys(FULL).map((key) => `"${key}":`),
      'null', 'true', '-1', '1e400', '1.5', '[]', '{}', '""', '"', ',', '"__proto__":', 'é',
      '\\"', '\\u0000', '\\n', '\\r', '\\ud800', '/nix/store/', '/../', '\n', '2000', '2001',
    ],
    async run(input) {
      const bytes = Buffer.from(input);
      const line = bytes.includes(10) ? bytes.indexOf(10) : bytes.length;
      const size = bytes.toString('latin1', 0, line);
      const rest = bytes.subarray(line + 1);
      const inBody = size !== '';
      const headers = inBody
        ? { 'x-attic-nar-info-preamble-size': size }
        : { 'x-attic-nar-info': rest.toString('latin1') };
      const body = inBody ? [rest.subarray(0, 7), rest.subarray(7)] : [Buffer.from('nar')];
      const narBytes = await takeUpload(contextOf(headers, body));
      assert.equal(narBytes, inBody ? rest.length - Number(size) : 3);
    },
  };
}

const HASH = '430rksy9dxpyl50zs25x2fd6w89wfddx';

/** As the stock client sends it. */
const BARE = {
  cache: 'pub',
  store_path_hash: HASH,
  store_path: `/nix/store/${HASH}-a`,
  references: [],
  system: null,
  deriver: null,
  sigs: [],
  ca: null,
  nar_hash: `sha256:${'a5'.repeat(32)}`,
  nar_size: 120,
};

const FULL = {
  ...BARE,
  references: [`${HASH}-a`],
  system: 'x86_64-linux',
  deriver: `${HASH}-a.drv`,
  sigs: [`cache-1:${'A'.repeat(86)}==`, 'x'],
  ca: `fixed:r:sha256:${'1'.repeat(52)}`,
};

/** What of the exchange is asked for before anybody is authorized. */
function contextOf(headers: Readonly<Record<string, string>>, body: readonly Buffer[]): ApiContext {
  const incoming = Object.assign(Readable.from(body), { headers });
  const exchange = { body: { patienceMs: 40, bytesPerSecond: 1 } };
  return { incoming, exchange } as unknown as ApiContext;
}

/** Gives the size of the NAR. */
async function takeUpload(c: ApiContext): Promise<number> {
  const { info, nar } = await readUploadInfo(c, MAX_PREAMBLE);
  checkStorePath(info, CACHE);
  const { storePath, references, narHash, narSize, sigs, ...optional } = info;
  const { system, deriver, ca } = optional as Record<string, string>;
  const written = insist('the info of a path makes no narinfo', () =>
    formatNarInfo({
      storePath,
      references,
      narHash,
      narSize,
      sigs,
      url: 'nar/a.nar',
      compression: 'zstd',
      ...(system !== undefined && { system }),
      ...(deriver !== undefined && { deriver }),
      ...(ca !== undefined && { ca }),
    }),
  );
  assert.ok(!written.includes('\0'), 'a NUL, which PostgreSQL takes in no text');
  let narBytes = 0;
  for await (const piece of nar) narBytes += piece.length;
  return narBytes;
}
