import assert from 'node:assert/strict';
import { encodeNar, NarParser, narListing, type FileName, type NarNode } from '@flywheel/nix';
import { messageOf } from '@flywheel/base';
import { insist, type FuzzTarget } from '@flywheel/testing/fuzz';

/** The lengths of the pieces that the rest is cut into, in turn; 0 is all of it. */
const CUTS_BYTES = 8;

/** However a NAR is cut, the same is read or refused; what is read is written as the same bytes. */
export async function openTarget(): Promise<FuzzTarget> {
  const nars = await Promise.all([FILE, LINK, TREE].map(encode));
  const cuts = [Buffer.alloc(CUTS_BYTES), Buffer.from([1, 7, 8, 9, 64, 3, 200, 0])];
  return {
    covers: ['packages/nix/src/'],
    seeds: nars.flatMap((nar) => cuts.map((cut) => Buffer.concat([cut, nar]))),
    dictionary: [
      ...TOKENS.map(stringOf),
      Buffer.concat([')', 'entry', '(', 'name', 'z', 'node', '(', 'type'].map(stringOf)),
      ...['..', '.', 'a/b', '\0', '\u00ff', 'x'.repeat(256)].map(stringOf),
      Buffer.from([0xff, 0xc3, 0x28]),
    ],
    async run(input) {
      const nar = Buffer.from(input.subarray(CUTS_BYTES));
      const whole = read([nar]);
      assert.deepEqual(read(cut(nar, input.subarray(0, CUTS_BYTES))).events, whole.events);
      if (whole.error !== undefined) throw whole.error;
      const { handler, listing } = narListing();
      const parser = new NarParser(handler);
      parser.write(nar);
      insist('the listing of a NAR', () => JSON.stringify(listing()));
      assert.ok((await encode(insist('a tree of a NAR', () => treeOf(nar)))).equals(nar));
    },
  };
}

const FILE = file('Hello, world!\n', false);
const LINK: NarNode = { type: 'symlink', target: '../nowhere' };
// prettier-ignore
const TREE = folder([
  ['a', FILE],
  ['b', folder([])],
  ['c', folder([['deep', LINK], ['run', file('12345678', true)]])],
  [Buffer.from([0x66, 0xff]), file('', false)],
]);

// prettier-ignore
const TOKENS = [
  'nix-archive-1', '(', ')', 'type', 'regular', 'executable', '', 'contents', 'symlink', 'target',
  'directory', 'entry', 'name', 'node',
];

function file(text: string | Uint8Array, executable: boolean): NarNode {
  const bytes = Buffer.from(text as string);
  return { type: 'regular', executable, size: bytes.length, contents: () => [bytes] };
}

function folder(entries: readonly (readonly [FileName, NarNode])[]): NarNode {
  return { type: 'directory', entries: () => entries };
}

/** A string as a NAR has it, written by other hands than the encoder's. */
function stringOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const encoded = Buffer.alloc(8 + Math.ceil(bytes.length / 8) * 8);
  encoded.writeBigUInt64LE(BigInt(bytes.length));
  encoded.set(bytes, 8);
  return encoded;
}

async function encode(node: NarNode): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeNar(node)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function cut(nar: Buffer, lengths: Uint8Array): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < nar.length;) {
    const length = lengths[pieces.length % lengths.length] ?? 0;
    pieces.push(nar.subarray(start, length === 0 ? undefined : start + length));
    start = length === 0 ? nar.length : start + length;
  }
  return pieces;
}

/** All that the parser says, contents joined, and its refusal. */
function read(pieces: readonly Buffer[]): { events: readonly string[]; error?: unknown } {
  const events: string[] = [];
  let contents = '';
  const say = (event: string): void => {
    if (contents !== '') events.push(contents);
    contents = '';
    events.push(event);
  };
  const parser = new NarParser({
    directory: (name) => say(`directory ${name}`),
    regular: (entry) => say(JSON.stringify(entry)),
    contents: (bytes) => (contents += Buffer.from(bytes).toString('latin1')),
    symlink: (name, target) => say(`symlink ${name} ${target}`),
    leave: () => say('leave'),
  });
  try {
    for (const piece of pieces) parser.write(piece);
    parser.end();
    return { events };
  } catch (error) {
    // What came of contents before the fault depends on the cut.
    contents = '';
    say(messageOf(error));
    return { events, error };
  }
}

/** What was read as what the encoder takes. */
function treeOf(nar: Buffer): NarNode {
  const top: [FileName, NarNode][] = [];
  const open = [top];
  const parser = new NarParser({
    directory(name) {
      const entries: [FileName, NarNode][] = [];
      open.at(-1)?.push([name, folder(entries)]);
      open.push(entries);
    },
    regular({ name, executable, size, offset }) {
      open.at(-1)?.push([name, file(nar.subarray(offset, offset + size), executable)]);
    },
    symlink: (name, target) => open.at(-1)?.push([name, { type: 'symlink', target }]),
    leave: () => open.pop(),
  });
  parser.write(nar);
  return top[0]?.[1] as NarNode;
}
