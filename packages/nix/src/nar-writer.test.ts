import { readFileSync } from 'node:fs';
import { collect } from '@flywheel/base';
import { expect, test } from 'vitest';
import { encodeNar } from './index.ts';
import type { NarEntries, NarNode } from './index.ts';

test('a single file, token by token', async () => {
  const nar = await encode(file('hello\n'));

  expect(nar.toString('latin1')).toBe(
    '\r\0\0\0\0\0\0\0nix-archive-1\0\0\0' +
      '\x01\0\0\0\0\0\0\0(\0\0\0\0\0\0\0' +
      '\x04\0\0\0\0\0\0\0type\0\0\0\0' +
      '\x07\0\0\0\0\0\0\0regular\0' +
      '\x08\0\0\0\0\0\0\0contents' +
      '\x06\0\0\0\0\0\0\0hello\n\0\0' +
      '\x01\0\0\0\0\0\0\0)\0\0\0\0\0\0\0',
  );
});

test('the same bytes as nix-store --dump', async () => {
  const tree = folder([
    ['Zed', file('w')],
    ['empty', file('')],
    ['file', file('hello\n')],
    ['naïve', file('x')],
    ['none', folder([])],
    ['run', file('#!/bin/sh\n', true)],
    [
      'sub',
      folder([
        ['deep', folder([['.hidden', file('q')]])],
        ['eight', file('12345678')],
        ['link', { type: 'symlink', target: '../nowhere' }],
      ]),
    ],
    // By bytes, U+FFFD comes before the rocket; by UTF-16 code units it would be the other way.
    ['\ufffdbmp', file('z')],
    ['🚀rocket', file('y')],
  ]);

  expect(await encode(tree)).toEqual(readVector('tree.nar'));
});

test('names and targets that are not UTF-8', async () => {
  const tree = folder([
    ['link', { type: 'symlink', target: Buffer.from('to\x80', 'latin1') }],
    [Buffer.from('ok\xc3', 'latin1'), file('b')],
    ['\udcff\udcfe', file('a')],
  ]);

  expect(await encode(tree)).toEqual(readVector('not-utf8.nar'));
});

test('large files pass through, small ones are gathered', async () => {
  const large = Buffer.alloc(100_000, 1);
  const tree = folder([
    ['a', { type: 'regular', executable: false, size: 100_000, contents: () => [large] }],
    ...Array.from({ length: 900 }, (_, index) => [`b${1000 + index}`, file('x')] as const),
  ]);

  const pieces: Uint8Array[] = [];
  for await (const piece of encodeNar(tree)) pieces.push(piece);

  expect(pieces[1]).toBe(large);
  expect(pieces.length).toBeLessThan(8);
  expect(Buffer.concat(pieces)).toHaveLength(100_000 + 900 * 192 + 280);
});

test('asynchronous folders and contents', async () => {
  const tree: NarNode = {
    type: 'directory',
    entries: async function* () {
      yield ['a', { type: 'regular', executable: false, size: 2, contents: slowly }] as const;
    },
  };
  async function* slowly(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a');
    yield Buffer.from('b');
  }

  expect(await encode(tree)).toEqual(await encode(folder([['a', file('ab')]])));
});

test.each([
  ['twice the same', ['a', 'a'], '"/a": a NAR cannot hold a name after "a"'],
  ['out of order', ['b', 'a'], '"/a": a NAR cannot hold a name after "b"'],
  ['in UTF-16 order', ['🚀', '\ufffd'], 'increase by their bytes'],
  ['empty', [''], 'a NAR cannot hold an empty name'],
  ['.', ['.'], 'the name "."'],
  ['..', ['..'], 'the name ".."'],
  ['a/b', ['a/b'], 'a name with "/"'],
  ['with NUL', ['a\0'], 'a name with a NUL byte'],
  ['256 bytes long', ['ï'.repeat(128)], 'a name over 255 bytes'],
])('refuses names: %s', async (_case, names, message) => {
  const tree = folder(names.map((name) => [name, file('')] as const));

  await expect(encode(tree)).rejects.toThrow(message);
  await expect(encode(tree)).rejects.toMatchObject({ code: 'invalid-input' });
});

test.each([
  ['shorter', ['abc'], 'read 3 bytes of a file of 4'],
  ['longer', ['abc', 'de'], 'read 5 or more bytes of a file of 4'],
])('a file that is %s than its size', async (_case, pieces, message) => {
  const contents = () => pieces.map((piece) => Buffer.from(piece));
  const inner = folder([['b', { type: 'regular', executable: false, size: 4, contents }]]);

  const written = encode(folder([['a', inner]]));
  await expect(written).rejects.toThrow(`"/a/b": ${message}`);
  await expect(written).rejects.toMatchObject({ code: 'conflict' });
});

test('closes the folders it is listing when left early', async () => {
  const closed: string[] = [];
  const listing = (name: string, inner: NarNode): NarNode => ({
    type: 'directory',
    entries: function* (): Generator<readonly [string, NarNode]> {
      try {
        yield ['a', inner];
      } finally {
        closed.push(name);
      }
    },
  });
  const large = Buffer.alloc(100_000);

  const tree = listing('outer', listing('inner', file(large)));
  for await (const piece of encodeNar(tree)) if (piece.length > 0) break;
  expect(closed).toEqual(['inner', 'outer']);
});

function encode(node: NarNode): Promise<Buffer> {
  return collect(encodeNar(node), 10 ** 7);
}

function file(text: string | Buffer, executable = false): NarNode {
  const bytes = Buffer.from(text);
  return { type: 'regular', executable, size: bytes.length, contents: () => [bytes] };
}

function folder(entries: Exclude<NarEntries, AsyncIterable<unknown>>): NarNode {
  return { type: 'directory', entries: () => entries };
}

function readVector(name: string): Buffer {
  return readFileSync(new URL(`../testdata/${name}`, import.meta.url));
}
