import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect, FlywheelError } from '@flywheel/base';
import type { ByteStream } from '@flywheel/base';
import { encodeNar } from '@flywheel/nix';
import type { NarNode } from '@flywheel/nix';
import { contentAddressed, narOfPath, unpackNar } from './index.ts';

let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flywheel-trees-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fresh(): string {
  count += 1;
  return join(folder, String(count));
}

const LIMIT = 64 * 1024 * 1024;
const narOf = (node: NarNode): Promise<Buffer> => collect(encodeNar(node), LIMIT);

function file(content: string | Buffer, executable = false): NarNode {
  const bytes = Buffer.from(content);
  return { type: 'regular', executable, size: bytes.length, contents: () => [bytes] };
}

/** Trees as they are on disks: names are bytes, any but NUL and the slash. */
const tree = fc.letrec<{ node: NarNode; directory: NarNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc
      .tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean())
      .map(([bytes, executable]) => file(Buffer.from(bytes), executable)),
    nameBytes(60).map((target): NarNode => ({ type: 'symlink', target })),
    tie('directory'),
  ),
  directory: fc
    .array(fc.tuple(nameBytes(20), tie('node')), { maxLength: 6 })
    .map((entries): NarNode => {
      const byName = new Map(entries.map((entry) => [entry[0].toString('latin1'), entry]));
      const sorted = [...byName.values()].sort(([a], [b]) => Buffer.compare(a, b));
      return { type: 'directory', entries: () => sorted };
    }),
})).node;

function nameBytes(maxLength: number): fc.Arbitrary<Buffer> {
  return fc
    .uint8Array({ minLength: 1, maxLength })
    .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x41 : byte))))
    .filter((name) => !['.', '..'].includes(name.toString('latin1')));
}

test('what is unpacked and packed again is the same NAR', { timeout: 30_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(tree, fc.integer({ min: 1, max: 5000 }), async (node, pieceSize) => {
      const nar = await narOf(node);
      const target = fresh();
      await unpackNar(split(nar, pieceSize), target);
      expect((await narOf(narOfPath(target))).equals(nar)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test('entries come in the order of their bytes', async () => {
  const path = fresh();
  mkdirSync(path);
  for (const name of ['b', 'a', 'B', 'é', 'a.b', 'a-b', 'ab', 'Z', '\u{1f600}', '\uff5e']) {
    writeFileSync(join(path, name), '');
  }
  const node = narOfPath(path);
  if (node.type !== 'directory') throw new Error(`a ${node.type}`);
  const names: string[] = [];
  for await (const [name] of node.entries()) names.push(Buffer.from(name).toString());
  expect(names).toEqual(['B', 'Z', 'a', 'a-b', 'a.b', 'ab', 'b', 'é', '\uff5e', '\u{1f600}']);
});

test('a large file is read in pieces, and links are not followed', async () => {
  const path = fresh();
  mkdirSync(path);
  const bytes = Buffer.alloc(3_000_001, 'seven b');
  writeFileSync(join(path, 'large'), bytes, { mode: 0o755 });
  symlinkSync('/etc/hostname', join(path, 'link'));
  symlinkSync('nowhere', join(path, 'none'));
  const expected: NarNode = {
    type: 'directory',
    entries: () => [
      ['large', file(bytes, true)],
      ['link', { type: 'symlink', target: '/etc/hostname' }],
      ['none', { type: 'symlink', target: 'nowhere' }],
    ],
  };
  expect((await narOf(narOfPath(path))).equals(await narOf(expected))).toBe(true);
  for await (const piece of encodeNar(narOfPath(path))) expect(piece.length).toBeLessThan(300_000);
});

test('errors name the path', async () => {
  const path = fresh();
  expect(() => narOfPath(path)).toThrow(
    expect.objectContaining({
      code: 'not-found',
      message: expect.stringContaining(path) as string,
    }),
  );
  mkdirSync(path);
  execFileSync('mkfifo', [join(path, 'pipe')]);
  await expect(narOf(narOfPath(path))).rejects.toMatchObject({
    code: 'unsupported',
    message: `${path}/pipe is neither a file, a folder nor a symlink: a NAR cannot hold it`,
  });
});

test.each([1000, 1_000_000])('a file of %i bytes that changes is a conflict', async (size) => {
  const path = fresh();
  writeFileSync(path, Buffer.alloc(size));
  const grown = narOfPath(path);
  appendFileSync(path, 'x');
  await expect(narOf(grown)).rejects.toMatchObject({
    code: 'conflict',
    message: `${path} had ${size} bytes and grew while it was read`,
  });
  const shrunk = narOfPath(path);
  writeFileSync(path, 'short');
  await expect(narOf(shrunk)).rejects.toMatchObject({
    code: 'conflict',
    message: `${path} had ${size + 1} bytes and shrank to 5 bytes while it was read`,
  });
  const replaced = narOfPath(path);
  rmSync(path);
  symlinkSync('/etc/hostname', path);
  await expect(narOf(replaced)).rejects.toMatchObject({ code: 'conflict' });
});

test('unpacking sets the executable bit and the time stamps of a store', async () => {
  const target = fresh();
  await unpackNar(
    encodeNar({
      type: 'directory',
      entries: () => [
        ['link', { type: 'symlink', target: 'run' }],
        ['run', file('#!/bin/sh\n', true)],
        ['sub', { type: 'directory', entries: () => [['text', file('text')]] }],
      ],
    }),
    target,
  );
  const paths = ['', 'link', 'run', 'sub', 'sub/text'].map((name) => join(target, name));
  expect(paths.map((path) => lstatSync(path).mtimeMs)).toEqual([1000, 1000, 1000, 1000, 1000]);
  expect(lstatSync(join(target, 'run')).mode & 0o100).toBe(0o100);
  expect(lstatSync(join(target, 'sub/text')).mode & 0o111).toBe(0);
});

test('unpacking refuses what exists, and leaves it alone', async () => {
  const target = fresh();
  writeFileSync(target, 'mine');
  await expect(unpackNar(encodeNar(file('theirs')), target)).rejects.toMatchObject({
    code: 'already-exists',
  });
  symlinkSync('/nowhere', `${target}-link`);
  await expect(unpackNar(encodeNar(file('x')), `${target}-link`)).rejects.toMatchObject({
    code: 'already-exists',
  });
  await expect(unpackNar(encodeNar(file('x')), join(fresh(), 'x'))).rejects.toMatchObject({
    code: 'not-found',
  });
  expect(lstatSync(target).size).toBe(4);
});

test('a NAR that is cut, malformed or broken off by its source leaves nothing', async () => {
  const parent = fresh();
  mkdirSync(parent);
  const target = join(parent, 'out');
  const nar = await narOf({
    type: 'directory',
    entries: () => [
      ['a', file('a'.repeat(5000))],
      ['b', { type: 'directory', entries: () => [] }],
    ],
  });
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield nar.subarray(0, 3000);
    throw new FlywheelError('unavailable', 'the line is dead');
  };
  await expect(unpackNar([nar.subarray(0, -1)], target)).rejects.toMatchObject({ code: 'corrupt' });
  await expect(unpackNar([nar, Buffer.alloc(1)], target)).rejects.toMatchObject({
    code: 'corrupt',
  });
  await expect(unpackNar(broken(), target)).rejects.toMatchObject({ code: 'unavailable' });
  expect(readdirSync(parent)).toEqual([]);
});

test('a NAR cannot lead out of its target', async () => {
  const parent = fresh();
  mkdirSync(parent);
  // The writer refuses such names, so one is put into a good NAR afterwards.
  const nar = await narOf({ type: 'directory', entries: () => [['xx', file('evil')]] });
  nar.write('..', nar.indexOf('xx'));
  await expect(unpackNar([nar], join(parent, 'out'))).rejects.toMatchObject({ code: 'corrupt' });
  // A link, and then something "in" it: not a folder to the NAR, so not one to write to.
  const twice = await narOf({
    type: 'directory',
    entries: () => [
      ['la', { type: 'symlink', target: folder }],
      ['lb', { type: 'directory', entries: () => [['planted', file('evil')]] }],
    ],
  });
  twice.write('la', twice.indexOf('lb'));
  await expect(unpackNar([twice], join(parent, 'out'))).rejects.toMatchObject({ code: 'corrupt' });
  expect(readdirSync(parent)).toEqual([]);
  expect(existsSync(join(folder, 'planted'))).toBe(false);
});

test('a tree becomes the path that nix-store --add makes of it', async () => {
  const path = fresh();
  writeFileSync(path, 'hi\n');
  chmodSync(path, 0o644);
  // nix 2.8.0: echo hi > f; nix-store --add f; its row in ValidPaths.
  const source = await contentAddressed({ name: 'f', tree: () => narOfPath(path) });
  expect(source).toMatchObject({
    storePath: '/nix/store/ab3li50xq0nl4q5lxdyinb8w8y13my9s-f',
    narSize: 120,
    ca: 'fixed:r:sha256:1xmr8jicvzszfzpz46g37mlpvbzjl2wpwvl2b05psipssyp1sm8h',
    references: [],
    sigs: [],
  });
  const nar = await collect(source.nar(), LIMIT);
  expect(createHash('sha256').update(nar).digest('hex')).toBe(
    '10551daed7fa467d0b58826e7eb9a0f2af7d693de319f2ef775fffcda244b9f6',
  );
});

function* split(bytes: Buffer, size: number): Generator<Uint8Array> & ByteStream {
  for (let start = 0; start < bytes.length; start += size) {
    yield bytes.subarray(start, start + size);
  }
}
