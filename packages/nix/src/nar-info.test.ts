import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatNarInfo, parseNarInfo, parseSha256 } from './index.ts';
import type { NarInfo } from './index.ts';

const NOTE = readVector('note.narinfo');
const TREE = readVector('tree.narinfo');

test('reads what nix writes', () => {
  expect(parseNarInfo(NOTE)).toEqual({
    storePath: '/nix/store/40l4cx2i3wbqjqbdd252jbwkdq6j44sv-note',
    url: 'nar/1mnqy4427id6s8jzc0w5v5mmwfa5iffkykxw4c3ars6xj975iw44.nar',
    compression: 'none',
    fileHash: 'sha256:1mnqy4427id6s8jzc0w5v5mmwfa5iffkykxw4c3ars6xj975iw44',
    fileSize: 168,
    narHash: parseSha256('sha256-hPBYTpLd6KwGI7xPP52LRTlea9mFA/Yl0qbFIwjx2NY='),
    narSize: 168,
    references: ['430rksy9dxpyl50zs25x2fd6w89wfddx-a'],
    sigs: [
      'test-1:o3sJTOrrd7Ib6dXOx90XZVxCzUiDCe5/Z150XHMQhjF3nGreq8cOwvYhKdtys7MQaCdd8pWT9gyWfF/pGZjSDw==',
    ],
    ca: 'text:sha256:1kd1566yb484yxzr9cy79x3fa6zqkkp951qan5vbr2z3xnpqlari',
  });
});

test('writes what nix writes, to the byte', () => {
  expect(formatNarInfo(parseNarInfo(NOTE), { narHashFormat: 'base32' })).toBe(NOTE);
  expect(formatNarInfo(parseNarInfo(TREE), { narHashFormat: 'base32' })).toBe(TREE);
});

test('the NAR hash is in hex unless told otherwise', () => {
  expect(formatNarInfo(parseNarInfo(TREE)).split('\n')[5]).toBe(
    'NarHash: sha256:ef2961f24de765b8fad93e7784ce1fd3cdfabf114a0792c523bb063f22263f19',
  );
});

test('fields that few write', () => {
  const info: NarInfo = {
    storePath: '/nix/store/430rksy9dxpyl50zs25x2fd6w89wfddx-a',
    url: 'nar/a.nar',
    compression: 'zstd',
    narHash: Buffer.alloc(32),
    narSize: 120,
    references: [],
    system: 'x86_64-linux',
    deriver: 'x0nkzf5r7sqa6b8js49dhzpmns6jn6lm-a.drv',
    sigs: ['a:AA==', 'b:AA=='],
  };
  const text = [
    'StorePath: /nix/store/430rksy9dxpyl50zs25x2fd6w89wfddx-a',
    'URL: nar/a.nar',
    'Compression: zstd',
    `NarHash: sha256:${'0'.repeat(64)}`,
    'NarSize: 120',
    'References: ',
    'System: x86_64-linux',
    'Deriver: x0nkzf5r7sqa6b8js49dhzpmns6jn6lm-a.drv',
    'Sig: a:AA==',
    'Sig: b:AA==',
    '',
  ].join('\n');

  expect(formatNarInfo(info)).toBe(text);
  expect(parseNarInfo(text)).toEqual(info);
});

test('parses what it formats', () => {
  const hash = fc.stringMatching(/^[0-9abcdfghijklmnpqrsvwxyz]{32}$/);
  const baseName = fc
    .tuple(hash, fc.stringMatching(/^[0-9A-Za-z+\-_?=][0-9A-Za-z+\-._?=]{0,20}$/))
    .map(([hash, name]) => `${hash}-${name}`);
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
  const infos = fc.record(
    {
      storePath: baseName.map((name) => `/nix/store/${name}`),
      url: fc.stringMatching(/^[ -~]{1,40}$/),
      compression: fc.constantFrom('none', 'xz', 'zstd'),
      fileHash: digest.map((bytes) => `sha256:${bytes.toString('hex')}`),
      fileSize: fc.maxSafeNat(),
      narHash: digest,
      narSize: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      references: fc.array(baseName, { maxLength: 4 }),
      deriver: baseName,
      system: fc.constantFrom('x86_64-linux', 'aarch64-darwin'),
      sigs: fc.array(fc.stringMatching(/^[a-z]+:[A-Za-z0-9+/]+=$/), { maxLength: 3 }),
      ca: digest.map((bytes) => `fixed:r:sha256:${bytes.toString('hex')}`),
    },
    {
      requiredKeys: ['storePath', 'url', 'compression', 'narHash', 'narSize', 'references', 'sigs'],
    },
  );
  fc.assert(
    fc.property(infos, fc.constantFrom('hex', 'base32'), (info, narHashFormat) => {
      expect(parseNarInfo(formatNarInfo(info, { narHashFormat }))).toEqual(info);
    }),
  );
});

test('what is missing or unknown means what it means to nix', () => {
  const info = parseNarInfo(
    NOTE.replace('Compression: none\n', 'Fancy: new\n')
      .replace(/References: .*\n/, '')
      .replace(/CA: .*\n/, 'Deriver: unknown-deriver\n')
      .replace(/Sig: .*\n/, ''),
  );

  expect(info.compression).toBe('bzip2');
  expect(info.references).toEqual([]);
  expect(info.sigs).toEqual([]);
  expect(info).not.toHaveProperty('deriver');
});

test.each([
  ['no StorePath', /StorePath: .*\n/, '', 'narinfo: StorePath is missing'],
  ['no URL', /URL: .*\n/, '', 'narinfo: URL is missing'],
  ['no NarHash', /NarHash: .*\n/, '', 'narinfo: NarHash is missing'],
  ['no NarSize', /NarSize: .*\n/, '', 'narinfo: NarSize is missing'],
  ['an empty URL', /URL: .*\n/, 'URL: \n', 'narinfo line 2: URL: it is empty'],
  ['no final line break', /\n$/, '', 'narinfo line 10: the last line has no line break'],
  ['Windows line ends', /\n/g, '\r\n', 'narinfo line 1: it has a carriage return or a NUL byte'],
  ['a carriage return in a URL', 'nar/', 'nar/\r', 'narinfo line 2: it has a carriage return'],
  ['a NUL byte in System', /CA: .*/, 'System: x\0', 'narinfo line 10: it has a carriage return or'],
  ['an empty line', /\n/, '\n\n', 'narinfo line 2: it is not of the form "Key: value"'],
  ['References without a space', /: 430\S*/, ':', 'narinfo line 8: it is not of the form'],
  ['a bad reference', /: 430/, ': 430 430', 'narinfo line 8: References: "430": its name'],
  ['a full path as reference', /: 430/, ': /nix/store/430', 'narinfo line 8: References: '],
  ['a zero NarSize', 'NarSize: 168', 'NarSize: 0', 'narinfo line 7: NarSize: no NAR is empty'],
  ['a fraction', 'NarSize: 168', 'NarSize: 1.5', 'narinfo line 7: NarSize: "1.5" is not a number'],
  ['a huge size', 'NarSize: 168', 'NarSize: 9007199254740993', 'narinfo line 7: NarSize: '],
  ['a bad FileSize', 'FileSize: 168', 'FileSize: -1', 'narinfo line 5: FileSize: "-1" is not'],
  ['a bad FileHash', 'FileHash: sha256:1', 'FileHash: sha256:', 'narinfo line 4: FileHash: '],
  [
    'a NarHash that is not SHA-256',
    /NarHash: .*/,
    `NarHash: md5:${'0'.repeat(32)}`,
    'only SHA-256',
  ],
  [
    'two NAR hashes',
    /(NarHash: .*\n)/,
    '$1$1',
    'narinfo line 7: NarHash was already given on line 6',
  ],
  ['two CAs', /(CA: .*\n)/, '$1$1', 'narinfo line 11: CA was already given on line 10'],
  ['a bad CA', 'CA: text:', 'CA: fixed:x:', 'narinfo line 10: CA: '],
  ['a bad deriver', /CA: .*/, 'Deriver: none', 'narinfo line 10: Deriver: "none": its name'],
])('refuses a narinfo with %s', (_case, part, replacement, message) => {
  expect(() => parseNarInfo(NOTE.replace(part, replacement))).toThrow(message);
});

test('a value cannot add lines of its own', () => {
  const info = { ...parseNarInfo(NOTE), url: 'nar/a\nSig: forged:AA==' };

  expect(() => formatNarInfo(info)).toThrow('narinfo: URL has a line break in its value');
});

function readVector(name: string): string {
  return readFileSync(new URL(`../testdata/${name}`, import.meta.url), 'utf8');
}
