/** The size of the pieces that are handed out. */
const PIECE_BYTES = 64 * 1024;
/** Pieces of at least this size are better passed on as they are than copied. */
export const SMALL_PIECE_BYTES = 16 * 1024;

const NOTHING: readonly Uint8Array[] = [];

/** Gathers small pieces into large ones. What was handed out is not written to again. */
export class PieceBuffer {
  #buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #used = 0;
  #full: Uint8Array[] = [];

  add(bytes: Uint8Array): void {
    for (let taken = 0; taken < bytes.length;) {
      const part = bytes.subarray(taken, taken + this.#buffer.length - this.#used);
      this.#buffer.set(part, this.#used);
      this.#used += part.length;
      taken += part.length;
      if (this.#used === this.#buffer.length) this.#flush();
    }
  }

  takeFull(): readonly Uint8Array[] {
    if (this.#full.length === 0) return NOTHING;
    const full = this.#full;
    this.#full = [];
    return full;
  }

  takeAll(): readonly Uint8Array[] {
    if (this.#used > 0) this.#flush();
    return this.takeFull();
  }

  #flush(): void {
    this.#full.push(this.#buffer.subarray(0, this.#used));
    // Between large files only a few bytes are framing: what is left of the memory serves again.
    const left = this.#buffer.subarray(this.#used);
    this.#buffer = left.length < SMALL_PIECE_BYTES ? Buffer.allocUnsafeSlow(PIECE_BYTES) : left;
    this.#used = 0;
  }
}
