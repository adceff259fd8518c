import { readFileSync } from 'node:fs';
import { collect, isFlywheelError } from '@flywheel/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFileName, encodeNar, narListing, NarParser } from './index.ts';
import type { NarNode } from './index.ts';

const TREE = readVector('tree.nar');

test('says what a NAR holds, in order', () => {
  expect(parse([TREE])).toEqual([
    'directory ""',
    'regular "Zed" 1 at 232: w',
    'regular "empty" 0 at 424: ',
    'regular "file" 6 at 608: hello\n',
    'regular "naïve" 1 at 800: x',
    'directory "none"',
    'leave',
    'executable "run" 10 at 1192: #!/bin/sh\n',
    'directory "sub"',
    'directory "deep"',
    'regular ".hidden" 1 at 1664: q',
    'leave',
    'regular "eight" 8 at 1888: 12345678',
    'symlink "link" ../nowhere',
    'leave',
    'regular "\ufffdbmp" 1 at 2312: z',
    'regular "🚀rocket" 1 at 2512: y',
    'leave',
  ]);
});

test('names and targets that are not UTF-8', () => {
  expect(parse([readVector('not-utf8.nar')])).toEqual([
    'directory ""',
    'symlink "link" to\udc80',
    'regular "ok\\udcc3" 1 at 424: b',
    'regular "\\udcff\\udcfe" 1 at 616: a',
    'leave',
  ]);
});

test('roots that are not folders', async () => {
  const link = await encode({ type: 'symlink', target: '' });
  const program = await encode({ ...file(Buffer.from('#!')), executable: true });

  expect(parse([link])).toEqual(['symlink "" ']);
  expect(parse([program])).toEqual(['executable "" 2 at 128: #!']);
});

test('however the NAR is cut, the same comes out', async () => {
  const names = fc.oneof(fc.string({ minLength: 1, maxLength: 6 }), fc.string({ unit: 'binary' }));
  const { tree } = fc.letrec<{ tree: NarNode }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.record({ type: fc.constant('symlink' as const), target: fc.stringMatching(/^[^\0]*$/) }),
      fc
        .tuple(fc.uint8Array({ maxLength: 40 }), fc.boolean())
        .map(([bytes, executable]) => ({ ...file(bytes), executable })),
      fc.dictionary(names, tie('tree'), { maxKeys: 6 }).map(folderOf),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(tree, fc.array(fc.nat(600)), async (tree, lengths) => {
      const nar = await encode(tree);
      const whole = parse([nar]);

      expect(whole.map((item) => item.replace(/ at \d+: /, ': '))).toEqual(await describe(tree));
      expect(parse(cut(nar, lengths))).toEqual(whole);
      expect(
        parse(
          cut(
            nar,
            Array.from(nar, () => 1),
          ),
        ),
      ).toEqual(whole);
    }),
  );
});

test('a damaged NAR is corrupt, or another NAR, and nothing else happens', () => {
  const damage = fc.array(
    fc.record({
      at: fc.nat(TREE.length),
      remove: fc.nat(24),
      insert: fc.uint8Array({ maxLength: 9 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(damage, fc.array(fc.nat(600)), (damage, lengths) => {
      let nar: Buffer = TREE;
      for (const { at, remove, insert } of damage) {
        nar = Buffer.concat([nar.subarray(0, at), insert, nar.subarray(at + remove)]);
      }

      expect(outcome([nar])).toEqual(outcome(cut(nar, lengths)));
    }),
    { numRuns: 500 },
  );
});

test('every byte up to the first contents is checked, those of the name as a name', () => {
  const name = TREE.indexOf('Zed');
  for (let at = 0; at < TREE.indexOf('w'); at += 1) {
    if (at >= name && at < name + 3) continue;
    const damaged = Buffer.from(TREE);
    damaged[at] = (damaged[at] ?? 0) ^ 0x80;
    expect(() => parse([damaged]), `byte ${at}`).toThrow('malformed NAR');
  }
});

test('every truncation is found at the end', () => {
  for (let length = 0; length < TREE.length; length += 1) {
    const parser = new NarParser({});
    parser.write(TREE.subarray(0, length));
    expect(parser.offset).toBe(length);
    expect(() => parser.end(), `${length} bytes`).toThrow(
      `malformed NAR at offset ${length}: expected`,
    );
  }
});

const START = tokens('nix-archive-1', '(', 'type');
const FOLDER = [START, tokens('directory')];
const LINK = tokens('node', '(', 'type', 'symlink', 'target', 'x', ')', ')');
const entry = (name: string | Buffer) => Buffer.concat([tokens('entry', '(', 'name', name), LINK]);

test.each([
  ['nothing', [], 'offset 0: expected "nix-archive-1", found the end'],
  [
    'other magic',
    [tokens('nix-archive-2')],
    'offset 20: expected "nix-archive-1", found byte 0x32',
  ],
  [
    'another type',
    [START, tokens('fifo')],
    'offset 56: expected "regular" or "directory" or "symlink", found byte 0x04',
  ],
  [
    'contents before executable',
    [START, tokens('regular', 'contents', '', 'executable')],
    'offset 96: expected ")", found byte 0x0a',
  ],
  [
    'a file without contents',
    [START, tokens('regular', ')')],
    'expected "contents" or "executable"',
  ],
  [
    'a marker that is not empty',
    [START, tokens('regular', 'executable', 'x')],
    'offset 96: expected "", found byte 0x01',
  ],
  [
    'unordered names',
    [...FOLDER, entry('b'), entry('a')],
    'expected names in increasing order, found "a"',
  ],
  ['the same name twice', [...FOLDER, entry('a'), entry('a')], 'offset 328: expected names in'],
  ['a prefix after the longer name', [...FOLDER, entry('ab'), entry('a')], 'in increasing order'],
  [
    'an empty name',
    [...FOLDER, entry('')],
    'offset 136: expected a file name, found an empty name',
  ],
  ['.', [...FOLDER, entry('.')], 'found the name "."'],
  ['..', [...FOLDER, entry('..')], 'found the name ".."'],
  ['a slash in a name', [...FOLDER, entry('a/b')], 'found a name with "/"'],
  ['NUL in a name', [...FOLDER, entry('a\0b')], 'found a name with a NUL byte'],
  [
    'a long name',
    [...FOLDER, entry('a'.repeat(256))],
    'offset 128: expected a name of at most 255 bytes, found a length of 256',
  ],
  ['a long target', [START, tokens('symlink', 'target', 'x'.repeat(4096))], 'at most 4095 bytes'],
  ['NUL in a target', [START, tokens('symlink', 'target', '\0')], 'found a target with a NUL byte'],
  [
    'a name length of 2^64 - 1',
    [...FOLDER, tokens('entry', '(', 'name'), Buffer.alloc(8, 255)],
    'expected a name of at most 255 bytes',
  ],
  [
    'a size of 2^53',
    [START, tokens('regular', 'contents'), Buffer.from('0000000000002000', 'hex')],
    'offset 88: expected a size under 2^53 bytes, found 9007199254740992',
  ],
  [
    'padding of a name',
    [
      ...FOLDER,
      tokens('entry', '(', 'name'),
      Buffer.from('01000000000000006100000000000001', 'hex'),
    ],
    'offset 143: expected zero padding, found byte 0x01',
  ],
  [
    'padding of a file',
    [START, tokens('regular', 'contents'), Buffer.from('01000000000000006100000000000100', 'hex')],
    'offset 102: expected zero padding, found byte 0x01',
  ],
  [
    'something after the end',
    [TREE, Buffer.of(0)],
    'offset 2568: expected the end, found byte 0x00',
  ],
])('refuses %s', (_case, pieces, message) => {
  expect(() => parse(pieces)).toThrow(message);
  expect(() => parse(cut(Buffer.concat(pieces), [1, 2, 3, 5, 50, 3, 3]))).toThrow(message);
});

test('the error carries its offset, and the parser is of no more use', () => {
  const parser = new NarParser({});

  expect(() => parser.write(Buffer.of(13, 1))).toThrow(
    expect.objectContaining({ code: 'corrupt', details: { offset: 1 } }),
  );
  expect(() => parser.write(TREE)).toThrow('expected nothing after an error');
  expect(() => parser.end()).toThrow('expected nothing after an error');
});

test('folders within folders: 4096, not one more', () => {
  const begin = tokens('node', '(', 'type', 'directory');
  const inner = Buffer.concat([tokens('entry', '(', 'name', 'd'), begin]);
  const nested = (depth: number): Buffer[] => [
    ...FOLDER,
    ...Array.from({ length: depth - 1 }, () => inner),
    ...Array.from({ length: depth - 1 }, () => tokens(')', ')')),
    tokens(')'),
  ];

  expect(parse(nested(4096))).toHaveLength(8192);
  const { handler, listing } = narListing();
  new NarParser(handler).write(Buffer.concat(nested(4096)));
  expect(JSON.stringify(listing())).toContain('{"d":{"type":"directory","entries":{}}}');
  expect(() => parse(nested(4097))).toThrow('expected at most 4096 folders within each other');
});

test('what the handler throws comes through', () => {
  const parser = new NarParser({
    regular() {
      throw new Error('disk full');
    },
  });

  expect(() => parser.write(TREE)).toThrow('disk full');
});

test('the listing is the one nix writes', () => {
  const { handler, listing } = narListing();
  const parser = new NarParser(handler);
  parser.write(TREE);
  parser.end();

  expect(JSON.stringify(listing())).toBe(readVector('tree.ls').toString());
});

test('a listing of odd names, of a single file, and before anything was read', async () => {
  const list = async (node: NarNode): Promise<string> => {
    const { handler, listing } = narListing();
    new NarParser(handler).write(await encode(node));
    return JSON.stringify(listing());
  };
  const odd = folderOf(Object.fromEntries([['__proto__', file(Buffer.of())]]));

  expect(await list(odd)).toBe(
    '{"version":1,"root":{"type":"directory","entries":{"__proto__":{"type":"regular","size":0,"narOffset":240}}}}',
  );
  expect(await list(file(Buffer.from('hi')))).toBe(
    '{"version":1,"root":{"type":"regular","size":2,"narOffset":96}}',
  );
  expect(() => narListing().listing()).toThrow('no NAR has been read yet');
});

/** Everything a parser says about these pieces, one line an item. */
function parse(pieces: readonly Uint8Array[]): string[] {
  const items: string[] = [];
  const parser = new NarParser({
    directory: (name) => items.push(`directory ${JSON.stringify(name)}`),
    regular({ name, executable, size, offset }) {
      const type = executable ? 'executable' : 'regular';
      items.push(`${type} ${JSON.stringify(name)} ${size} at ${offset}: `);
    },
    contents(bytes) {
      items.push(`${items.pop()}${Buffer.from(bytes).toString('latin1')}`);
    },
    symlink: (name, target) => items.push(`symlink ${JSON.stringify(name)} ${target}`),
    leave: () => items.push('leave'),
  });
  for (const piece of pieces) parser.write(piece);
  parser.end();
  return items;
}

/** What `parse` gives, or the corruption it finds; anything else is thrown on. */
function outcome(pieces: readonly Uint8Array[]): unknown {
  try {
    return parse(pieces);
  } catch (error) {
    if (isFlywheelError(error, 'corrupt')) return error.message;
    throw error;
  }
}

/** What `parse` should give, without the offsets, worked out from the tree itself. */
async function describe(node: NarNode, name = ''): Promise<string[]> {
  const quoted = JSON.stringify(name);
  if (node.type === 'symlink') return [`symlink ${quoted} ${String(node.target)}`];
  if (node.type === 'regular') {
    const type = node.executable ? 'executable' : 'regular';
    const contents = await collect(node.contents(), 10 ** 6);
    return [`${type} ${quoted} ${node.size}: ${contents.toString('latin1')}`];
  }
  const items = [`directory ${quoted}`];
  for await (const [child, inner] of node.entries()) {
    items.push(...(await describe(inner, String(child))));
  }
  return [...items, 'leave'];
}

function encode(node: NarNode): Promise<Buffer> {
  return collect(encodeNar(node), 10 ** 7);
}

function file(bytes: Uint8Array): NarNode & { type: 'regular' } {
  return { type: 'regular', executable: false, size: bytes.length, contents: () => [bytes] };
}

/** A folder of what can be in one: other names are left out. */
function folderOf(nodes: Readonly<Record<string, NarNode>>): NarNode {
  const entries = Object.entries(nodes)
    .filter(([name]) => !/[/\0]|^\.{0,2}$/.test(name) && encodeFileName(name).length <= 255)
    .sort(([a], [b]) => Buffer.compare(encodeFileName(a), encodeFileName(b)));
  return { type: 'directory', entries: () => entries };
}

/** Pieces of these lengths, then the rest. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  let rest = bytes;
  const pieces = lengths.map((length) => {
    const piece = rest.subarray(0, length);
    rest = rest.subarray(length);
    return piece;
  });
  return [...pieces, rest];
}

function tokens(...texts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    texts.map((text) => {
      const bytes = Buffer.from(text);
      const encoded = Buffer.alloc(8 + Math.ceil(bytes.length / 8) * 8);
      encoded.writeUInt32LE(bytes.length);
      encoded.set(bytes, 8);
      return encoded;
    }),
  );
}

function readVector(name: string): Buffer {
  return readFileSync(new URL(`../testdata/${name}`, import.meta.url));
}
