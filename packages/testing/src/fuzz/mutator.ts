import type { Random } from './random.ts';

/** Where lengths and counters break: zero, signs, and the edges of bytes, words and doubles. */
// prettier-ignore
const INTERESTING: readonly bigint[] = [
  0n, 1n, 7n, 8n, 16n, 32n, 64n, 100n, 127n, 128n, 255n, 256n, 4095n, 4096n, 32_767n, 65_535n,
  65_536n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n,
  2n ** 63n, 2n ** 64n - 1n,
];

const WIDTHS = [1, 2, 4, 8] as const;

/** Makes inputs out of inputs. Nothing it is given is changed. */
export class Mutator {
  readonly #random: Random;
  readonly #tokens: readonly Buffer[];
  readonly #maxBytes: number;
  readonly #changes: readonly ((bytes: Buffer, other: Uint8Array) => Buffer)[] = [
    (bytes) => this.#flipBit(bytes),
    (bytes) => this.#setByte(bytes),
    (bytes) => this.#setInteger(bytes),
    (bytes) => this.#nudgeInteger(bytes),
    (bytes) => this.#replaceDigits(bytes),
    (bytes) => this.#remove(bytes),
    (bytes) => this.#repeat(bytes),
    (bytes) => this.#insertBytes(bytes),
    (bytes) => this.#insertToken(bytes),
    (bytes) => this.#overwriteToken(bytes),
    (bytes, other) => this.#splice(bytes, other),
  ];

  constructor(random: Random, dictionary: readonly (string | Uint8Array)[], maxBytes: number) {
    this.#random = random;
    this.#tokens = dictionary.map((token) => Buffer.from(token as string));
    this.#maxBytes = maxBytes;
  }

  /** One to eight changes of `parent`, mostly few; `other` gives pieces. */
  mutate(parent: Uint8Array, other: Uint8Array): Buffer {
    let bytes: Buffer = Buffer.from(parent);
    const changes = 1 << this.#random.below(this.#random.below(4) + 1);
    for (let i = 0; i < changes; i += 1) {
      bytes = this.#random.oneOf(this.#changes)(bytes, other);
    }
    return bytes.length > this.#maxBytes ? bytes.subarray(0, this.#maxBytes) : bytes;
  }

  #flipBit(bytes: Buffer): Buffer {
    const at = this.#random.below(bytes.length);
    if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#random.below(8));
    return bytes;
  }

  #setByte(bytes: Buffer): Buffer {
    const at = this.#random.below(bytes.length);
    if (at < bytes.length) bytes[at] = this.#random.below(256);
    return bytes;
  }

  #setInteger(bytes: Buffer): Buffer {
    return this.#withInteger(bytes, () => this.#random.oneOf(INTERESTING));
  }

  /** A length field that is a little wrong. */
  #nudgeInteger(bytes: Buffer): Buffer {
    return this.#withInteger(bytes, (value) => value + BigInt(this.#random.below(33) - 16));
  }

  #withInteger(bytes: Buffer, change: (value: bigint) => bigint): Buffer {
    const width = this.#random.oneOf(WIDTHS);
    if (bytes.length < width) return bytes;
    const offset = this.#random.below(bytes.length - width + 1);
    // Fields of binary formats are aligned more often than not.
    const at = this.#random.below(2) === 0 ? offset : offset - (offset % width);
    const isBigEndian = this.#random.below(4) === 0;
    const field = Buffer.from(bytes.subarray(at, at + width));
    if (isBigEndian) field.reverse();
    const value = Buffer.alloc(8);
    field.copy(value);
    value.writeBigUInt64LE(BigInt.asUintN(64, change(value.readBigUInt64LE())));
    const changed = value.subarray(0, width);
    bytes.set(isBigEndian ? changed.reverse() : changed, at);
    return bytes;
  }

  /** The same for numbers that are text. */
  #replaceDigits(bytes: Buffer): Buffer {
    const runs = [...bytes.toString('latin1').matchAll(/\d+/g)];
    if (runs.length === 0) return bytes;
    const run = this.#random.oneOf(runs);
    const number = this.#random.oneOf(INTERESTING) + BigInt(this.#random.below(3) - 1);
    return replaced(bytes, run.index, run[0].length, Buffer.from(String(number)));
  }

  #remove(bytes: Buffer): Buffer {
    const { start, end } = this.#range(bytes);
    return replaced(bytes, start, end - start, Buffer.alloc(0));
  }

  #repeat(bytes: Buffer): Buffer {
    const { start, end } = this.#range(bytes);
    const times = this.#random.below(8) === 0 ? 64 : 1;
    const piece = bytes.subarray(start, end);
    return replaced(
      bytes,
      end,
      0,
      Buffer.alloc(Math.min(piece.length * times, this.#maxBytes), piece),
    );
  }

  #insertBytes(bytes: Buffer): Buffer {
    const piece = Buffer.from(
      Array.from({ length: 1 + this.#random.below(8) }, () => this.#random.below(256)),
    );
    return replaced(bytes, this.#random.below(bytes.length + 1), 0, piece);
  }

  #insertToken(bytes: Buffer): Buffer {
    if (this.#tokens.length === 0) return bytes;
    return replaced(
      bytes,
      this.#random.below(bytes.length + 1),
      0,
      this.#random.oneOf(this.#tokens),
    );
  }

  #overwriteToken(bytes: Buffer): Buffer {
    if (this.#tokens.length === 0) return bytes;
    const token = this.#random.oneOf(this.#tokens);
    return replaced(bytes, this.#random.below(bytes.length + 1), token.length, token);
  }

  #splice(bytes: Buffer, other: Uint8Array): Buffer {
    const given = Buffer.from(other);
    const from = this.#range(given);
    const to = this.#range(bytes);
    return replaced(bytes, to.start, to.end - to.start, given.subarray(from.start, from.end));
  }

  /** Short more often than long. */
  #range(bytes: Buffer): { start: number; end: number } {
    const start = this.#random.below(bytes.length + 1);
    const longest = this.#random.below(3) === 0 ? bytes.length : 16;
    return { start, end: Math.min(bytes.length, start + 1 + this.#random.below(longest)) };
  }
}

function replaced(bytes: Buffer, at: number, remove: number, insert: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}
