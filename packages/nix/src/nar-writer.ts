import { FlywheelError } from '@flywheel/base';
import type { ByteStream } from '@flywheel/base';
import { decodeFileName, encodeFileName } from './file-name.ts';
import {
  entryNameProblem,
  MAX_NAR_DEPTH,
  narLength,
  narPadding,
  narString,
  narStrings,
  symlinkTargetProblem,
} from './nar-format.ts';
import { PieceBuffer, SMALL_PIECE_BYTES } from './piece-buffer.ts';

/** Names and targets as strings (see `decodeFileName` for what is not UTF-8) or as their bytes. */
export type FileName = string | Uint8Array;

/** What a NAR holds. Contents and entries are asked for once, when their turn comes. */
export type NarNode =
  | {
      readonly type: 'regular';
      readonly executable: boolean;
      /** Bytes, known beforehand: the NAR says it before the contents. */
      readonly size: number;
      /** Pieces from 16 KiB on are passed on without a copy: do not write to them afterwards. */
      readonly contents: () => ByteStream;
    }
  | { readonly type: 'symlink'; readonly target: FileName }
  | { readonly type: 'directory'; readonly entries: () => NarEntries };

/** Strictly increasing by the names' bytes, which is not the order of JavaScript's `sort`. */
export type NarEntries =
  | Iterable<readonly [name: FileName, node: NarNode]>
  | AsyncIterable<readonly [name: FileName, node: NarNode]>;

interface Folder {
  readonly entries:
    Iterator<readonly [FileName, NarNode]> | AsyncIterator<readonly [FileName, NarNode]>;
  readonly name: FileName;
  previous: Buffer | undefined;
}

const MAGIC = narString('nix-archive-1');
const REGULAR = narStrings('(', 'type', 'regular', 'contents');
const EXECUTABLE = narStrings('(', 'type', 'regular', 'executable', '', 'contents');
const SYMLINK = narStrings('(', 'type', 'symlink', 'target');
const DIRECTORY = narStrings('(', 'type', 'directory');
const ENTRY = narStrings('entry', '(', 'name');
const NODE = narString('node');
const CLOSE = narString(')');
const CLOSE_TWICE = narStrings(')', ')');
const ZEROS = Buffer.alloc(8);

/**
 * Writes the NAR of a tree in constant memory, in pieces of about 64 KiB. Throws `invalid-input`
 * for names that are malformed or out of order, and `conflict` when a file's contents are not as
 * long as its size says, because it changed meanwhile.
 */
export async function* encodeNar(root: NarNode): AsyncGenerator<Uint8Array> {
  const pieces = new PieceBuffer();
  const folders: Folder[] = [];
  try {
    pieces.add(MAGIC);
    beginNode(pieces, folders, root, '');
    if (root.type === 'regular') yield* writeContents(pieces, folders, root, '');
    for (let folder = folders.at(-1); folder !== undefined; folder = folders.at(-1)) {
      const step = await folder.entries.next();
      if (step.done === true) {
        folders.pop();
        // Its own end and, within another folder, that of its entry.
        pieces.add(folders.length > 0 ? CLOSE_TWICE : CLOSE);
      } else {
        const [name, node] = step.value;
        beginEntry(pieces, folders, folder, name);
        beginNode(pieces, folders, node, name);
        if (node.type === 'regular') yield* writeContents(pieces, folders, node, name);
        if (node.type !== 'directory') pieces.add(CLOSE);
      }
      for (const piece of pieces.takeFull()) yield piece;
    }
    for (const piece of pieces.takeAll()) yield piece;
  } finally {
    // Left early: whoever lists folders may hold them open.
    for (const folder of folders.reverse()) await folder.entries.return?.();
  }
}

function beginEntry(
  pieces: PieceBuffer,
  folders: readonly Folder[],
  folder: Folder,
  fileName: FileName,
): void {
  const name = bytesOf(fileName);
  const problem = entryNameProblem(name) ?? orderProblem(folder.previous, name);
  if (problem !== undefined) throw refused(folders, fileName, problem);
  folder.previous = name;
  pieces.add(ENTRY);
  pieces.add(narString(name));
  pieces.add(NODE);
}

/** Writes a symlink, opens a folder, or says that a file's length and contents follow. */
function beginNode(pieces: PieceBuffer, folders: Folder[], node: NarNode, name: FileName): void {
  switch (node.type) {
    case 'regular':
      pieces.add(node.executable ? EXECUTABLE : REGULAR);
      return;
    case 'symlink': {
      const target = bytesOf(node.target);
      const problem = symlinkTargetProblem(target);
      if (problem !== undefined) throw refused(folders, name, problem);
      pieces.add(SYMLINK);
      pieces.add(narString(target));
      pieces.add(CLOSE);
      return;
    }
    case 'directory':
      if (folders.length >= MAX_NAR_DEPTH) {
        throw refused(folders, name, `more than ${MAX_NAR_DEPTH} folders within each other`);
      }
      pieces.add(DIRECTORY);
      folders.push({ entries: iteratorOf(node.entries()), name, previous: undefined });
  }
}

async function* writeContents(
  pieces: PieceBuffer,
  folders: readonly Folder[],
  file: NarNode & { readonly type: 'regular' },
  name: FileName,
): AsyncGenerator<Uint8Array> {
  if (!Number.isSafeInteger(file.size) || file.size < 0) {
    throw refused(folders, name, `the size ${file.size}`);
  }
  pieces.add(narLength(file.size));
  let seen = 0;
  for await (const piece of file.contents()) {
    seen += piece.length;
    if (seen > file.size) throw resized(folders, name, file.size, `${seen} or more`);
    if (piece.length < SMALL_PIECE_BYTES) {
      pieces.add(piece);
      for (const full of pieces.takeFull()) yield full;
    } else {
      for (const earlier of pieces.takeAll()) yield earlier;
      yield piece;
    }
  }
  if (seen !== file.size) throw resized(folders, name, file.size, String(seen));
  pieces.add(ZEROS.subarray(0, narPadding(file.size)));
  pieces.add(CLOSE);
}

function orderProblem(previous: Buffer | undefined, name: Buffer): string | undefined {
  if (previous === undefined || Buffer.compare(previous, name) < 0) return undefined;
  const after = JSON.stringify(decodeFileName(previous));
  return `a name after ${after}; they have to increase by their bytes`;
}

function iteratorOf(entries: NarEntries): Folder['entries'] {
  return Symbol.asyncIterator in entries
    ? entries[Symbol.asyncIterator]()
    : entries[Symbol.iterator]();
}

function bytesOf(name: FileName): Buffer {
  return typeof name === 'string' ? encodeFileName(name) : Buffer.from(name);
}

function refused(folders: readonly Folder[], name: FileName, problem: string): FlywheelError {
  return new FlywheelError(
    'invalid-input',
    `${pathOf(folders, name)}: a NAR cannot hold ${problem}`,
  );
}

function resized(
  folders: readonly Folder[],
  name: FileName,
  size: number,
  seen: string,
): FlywheelError {
  return new FlywheelError(
    'conflict',
    `${pathOf(folders, name)}: read ${seen} bytes of a file of ${size}`,
    {
      details: { hint: 'the file changed while it was read; try again when nothing writes to it' },
    },
  );
}

function pathOf(folders: readonly Folder[], name: FileName): string {
  const names = [...folders.slice(1).map((folder) => folder.name), name];
  return JSON.stringify(`/${names.map((part) => decodeFileName(bytesOf(part))).join('/')}`);
}
