const HASH_BYTES = 32;
const BUCKETS = 256;

/**
 * SHA-256 hashes, given back in order. By their first byte, each lot in one buffer: half a million
 * take 16 MiB, and no step of sorting them takes more than a few milliseconds.
 */
export class HashOrder {
  readonly #lots: Buffer[] = Array.from({ length: BUCKETS }, () => Buffer.alloc(0));
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(hash: Uint8Array): void {
    const place = hash[0] as number;
    const count = this.#counts[place] as number;
    let lot = this.#lots[place] as Buffer;
    if (lot.length === count * HASH_BYTES) {
      lot = Buffer.alloc(Math.max(8, count * 2) * HASH_BYTES);
      (this.#lots[place] as Buffer).copy(lot);
      this.#lots[place] = lot;
    }
    lot.set(hash, count * HASH_BYTES);
    this.#counts[place] = count + 1;
    this.#count += 1;
  }

  *sorted(): Generator<Buffer> {
    for (const [place, lot] of this.#lots.entries()) {
      const hashes = Array.from({ length: this.#counts[place] as number }, (_, i) =>
        lot.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
      );
      yield* hashes.sort((a, b) => a.compare(b));
    }
  }
}
