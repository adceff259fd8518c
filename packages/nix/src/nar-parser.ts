import { FlywheelError } from '@flywheel/base';
import { asBuffer } from './as-buffer.ts';
import { decodeFileName } from './file-name.ts';
import { NarEntryOrder } from './nar-entry-order.ts';
import {
  entryNameProblem,
  MAX_FILE_NAME_BYTES,
  MAX_NAR_DEPTH,
  MAX_SYMLINK_TARGET_BYTES,
  narPadding,
  symlinkTargetProblem,
} from './nar-format.ts';
import {
  AFTER_DIRECTORY,
  AFTER_LEAF,
  AFTER_NAME,
  AFTER_ROOT_LEAF,
  AT_START,
  expectedTokens,
  switchPhrase,
} from './nar-grammar.ts';
import type { NarPhrase, NarPhrases } from './nar-grammar.ts';

/** What a NAR says, in order. Names are those within their folder; the root's is ''. */
export interface NarHandler {
  /** A folder begins; what follows is in it until `leave`. */
  directory?(name: string): void;
  /** A file begins. `offset` is where its contents start in the NAR, in bytes. */
  regular?(file: NarFile): void;
  /** The next bytes of the latest file: a view of what was written, valid during the call. */
  contents?(bytes: Uint8Array): void;
  symlink?(name: string, target: string): void;
  /** The folder opened last ends. */
  leave?(): void;
}

export interface NarFile {
  readonly name: string;
  readonly executable: boolean;
  readonly size: number;
  readonly offset: number;
}

type State = 'phrase' | 'length' | 'string' | 'contents' | 'padding' | 'done' | 'broken';

/** The longest string read: a symlink's target and its padding. */
const SCRATCH_BYTES = MAX_SYMLINK_TARGET_BYTES + 8;

/**
 * Reads a NAR written to it piece by piece, synchronously and in constant memory. It accepts
 * exactly what `nix-store --dump` can produce: one order of fields, names strictly increasing,
 * zero padding. Throws `corrupt` with the offset otherwise; after that it is of no more use.
 */
export class NarParser {
  readonly #handler: NarHandler;
  readonly #folders = new NarEntryOrder();
  #state: State = 'phrase';
  /** Offset in the NAR of the current piece. */
  #pieceOffset = 0;

  #phrases: NarPhrases = AT_START;
  #phrase = AT_START[0];
  #matched = 0;

  /** What the length or string being read is for. */
  #reading: 'name' | 'target' | 'contents' = 'contents';
  #executable = false;
  #name = '';

  /** Bytes of a length or string collected from earlier pieces, and how many are wanted. */
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #collected = 0;
  #wanted = 0;
  #stringLength = 0;

  /** Bytes of contents or padding still to come. */
  #remaining = 0;
  #padding = 0;

  constructor(handler: NarHandler) {
    this.#handler = handler;
  }

  /** Bytes written so far. */
  get offset(): number {
    return this.#pieceOffset;
  }

  /** Reads the next piece, of any size. Throws `corrupt`, and whatever the handler throws. */
  write(bytes: Uint8Array): void {
    const piece = asBuffer(bytes);
    try {
      for (let position = 0; position < piece.length;) position = this.#read(piece, position);
    } catch (error) {
      this.#state = 'broken';
      throw error;
    }
    this.#pieceOffset += piece.length;
  }

  /** Says that all was written. Throws `corrupt` when something is missing. */
  end(): void {
    if (this.#state !== 'done') throw this.#malformed(0, this.#expectation(), 'the end');
  }

  /** Each of these readers takes what it can from `position` on, and returns where it stopped. */
  #read(piece: Buffer, position: number): number {
    switch (this.#state) {
      case 'phrase':
        return this.#readPhrase(piece, position);
      case 'length':
      case 'string':
        return this.#readBytes(piece, position);
      case 'contents':
        return this.#readContents(piece, position);
      case 'padding':
        return this.#readPadding(piece, position);
      default:
        throw this.#malformed(position, this.#expectation(), byteAt(piece, position));
    }
  }

  #readPhrase(piece: Buffer, start: number): number {
    // One native comparison with the likeliest phrase: NARs of many small files took 40 % less.
    const likeliest = this.#phrase.bytes;
    const likelyEnd = start + likeliest.length;
    if (
      this.#matched === 0 &&
      likelyEnd <= piece.length &&
      likeliest.compare(piece, start, likelyEnd) === 0
    ) {
      this.#finishPhrase(this.#phrase, likelyEnd);
      return likelyEnd;
    }
    let phrase = this.#phrase;
    let expectedBytes = phrase.bytes;
    let position = start;
    let matched = this.#matched;
    while (position < piece.length && matched < expectedBytes.length) {
      if (piece[position] === expectedBytes[matched]) {
        position += 1;
        matched += 1;
        continue;
      }
      const other = switchPhrase(this.#phrases, phrase, matched, piece[position] ?? 0);
      if (other === undefined) {
        const expected = expectedTokens(this.#phrases, phrase, matched);
        throw this.#malformed(position, expected, byteAt(piece, position));
      }
      phrase = other;
      expectedBytes = other.bytes;
    }
    if (matched === expectedBytes.length) {
      this.#finishPhrase(phrase, position);
    } else {
      this.#phrase = phrase;
      this.#matched = matched;
    }
    return position;
  }

  #finishPhrase(phrase: NarPhrase, position: number): void {
    switch (phrase.meaning) {
      case 'regular':
      case 'executable':
        this.#executable = phrase.meaning === 'executable';
        return this.#expectLength('contents');
      case 'symlink':
        return this.#expectLength('target');
      case 'directory':
        this.#enterDirectory(position);
        return this.#expectLength('name');
      case 'empty-directory':
        this.#enterDirectory(position);
        return this.#leaveDirectory();
      case 'next-entry':
        return this.#expectLength('name');
      case 'end-of-directory':
        return this.#leaveDirectory();
      case 'end':
        this.#state = 'done';
    }
  }

  #enterDirectory(position: number): void {
    if (!this.#folders.enter()) {
      const limit = `at most ${MAX_NAR_DEPTH} folders within each other`;
      throw this.#malformed(position, limit, 'one more');
    }
    this.#handler.directory?.(this.#name);
  }

  #leaveDirectory(): void {
    this.#folders.leave();
    this.#handler.leave?.();
    if (this.#folders.depth > 0) this.#expectPhrase(AFTER_DIRECTORY);
    else this.#state = 'done';
  }

  #expectPhrase(phrases: NarPhrases): void {
    this.#state = 'phrase';
    this.#phrases = phrases;
    this.#phrase = phrases[0];
    this.#matched = 0;
  }

  #expectLength(of: 'name' | 'target' | 'contents'): void {
    this.#state = 'length';
    this.#reading = of;
    this.#wanted = 8;
    this.#collected = 0;
  }

  /** A length or string: from the piece itself when it is all there, else by way of the scratch. */
  #readBytes(piece: Buffer, position: number): number {
    const missing = this.#wanted - this.#collected;
    const end = Math.min(position + missing, piece.length);
    if (this.#collected === 0 && end - position === this.#wanted) {
      this.#finishBytes(piece, position, end);
      return end;
    }
    piece.copy(this.#scratch, this.#collected, position, end);
    this.#collected += end - position;
    if (this.#collected === this.#wanted) this.#finishBytes(this.#scratch, 0, end);
    return end;
  }

  /** The wanted bytes are in `source` from `start` on; `position` is where the piece goes on. */
  #finishBytes(source: Buffer, start: number, position: number): void {
    if (this.#state === 'string') return this.#finishString(source, start, position);
    const high = source.readUInt32LE(start + 4);
    const length = high * 2 ** 32 + source.readUInt32LE(start);
    if (this.#reading === 'contents') return this.#beginContents(length, position);
    const limit = this.#reading === 'name' ? MAX_FILE_NAME_BYTES : MAX_SYMLINK_TARGET_BYTES;
    if (length > limit) {
      const expected = `a ${this.#reading} of at most ${limit} bytes`;
      throw this.#malformed(position - 8, expected, `a length of ${length}`);
    }
    this.#state = 'string';
    this.#stringLength = length;
    this.#wanted = length + narPadding(length);
    this.#collected = 0;
    if (length === 0) this.#finishString(source, start, position);
  }

  #finishString(source: Buffer, start: number, position: number): void {
    const end = start + this.#stringLength;
    const stringOffset = position - this.#wanted;
    for (let index = end; index < start + this.#wanted; index += 1) {
      if (source[index] !== 0) {
        throw this.#malformed(stringOffset + index - start, 'zero padding', byteAt(source, index));
      }
    }
    const bytes = source.subarray(start, end);
    if (this.#reading === 'name') this.#finishName(bytes, stringOffset);
    else this.#finishTarget(bytes, stringOffset);
  }

  #finishName(bytes: Buffer, position: number): void {
    const problem = entryNameProblem(bytes);
    if (problem !== undefined) throw this.#malformed(position, 'a file name', problem);
    const name = decodeFileName(bytes);
    if (!this.#folders.advance(bytes)) {
      const found = `${JSON.stringify(name)}, which is not after the name before it`;
      throw this.#malformed(position, 'names in increasing order', found);
    }
    this.#name = name;
    this.#expectPhrase(AFTER_NAME);
  }

  #finishTarget(bytes: Buffer, position: number): void {
    const problem = symlinkTargetProblem(bytes);
    if (problem !== undefined) throw this.#malformed(position, "a symlink's target", problem);
    this.#handler.symlink?.(this.#name, decodeFileName(bytes));
    this.#expectLeafEnd();
  }

  #beginContents(size: number, position: number): void {
    if (!Number.isSafeInteger(size)) {
      throw this.#malformed(position - 8, 'a size under 2^53 bytes', String(size));
    }
    this.#remaining = size;
    this.#padding = narPadding(size);
    this.#state = 'contents';
    this.#handler.regular?.({
      name: this.#name,
      executable: this.#executable,
      size,
      offset: this.#pieceOffset + position,
    });
    if (size === 0) this.#expectLeafEnd();
  }

  #readContents(piece: Buffer, position: number): number {
    const end = Math.min(position + this.#remaining, piece.length);
    this.#handler.contents?.(piece.subarray(position, end));
    this.#remaining -= end - position;
    if (this.#remaining > 0) return end;
    if (this.#padding > 0) this.#state = 'padding';
    else this.#expectLeafEnd();
    return end;
  }

  #readPadding(piece: Buffer, position: number): number {
    if (piece[position] !== 0) {
      throw this.#malformed(position, 'zero padding', byteAt(piece, position));
    }
    this.#padding -= 1;
    if (this.#padding === 0) this.#expectLeafEnd();
    return position + 1;
  }

  #expectLeafEnd(): void {
    this.#expectPhrase(this.#folders.depth > 0 ? AFTER_LEAF : AFTER_ROOT_LEAF);
  }

  #expectation(): string {
    switch (this.#state) {
      case 'phrase':
        return expectedTokens(this.#phrases, this.#phrase, this.#matched);
      case 'length':
        return `the length of a file's ${this.#reading}`;
      case 'string':
        return `the rest of a ${this.#reading}`;
      case 'contents':
        return `${this.#remaining} more bytes of a file`;
      case 'padding':
        return 'zero padding';
      case 'done':
        return 'the end';
      default:
        return 'nothing after an error';
    }
  }

  /** `position` is relative to the current piece. */
  #malformed(position: number, expected: string, found: string): FlywheelError {
    const offset = this.#pieceOffset + position;
    return new FlywheelError(
      'corrupt',
      `malformed NAR at offset ${offset}: expected ${expected}, found ${found}`,
      { details: { offset } },
    );
  }
}

function byteAt(bytes: Uint8Array, position: number): string {
  return `byte 0x${(bytes[position] ?? 0).toString(16).padStart(2, '0')}`;
}
