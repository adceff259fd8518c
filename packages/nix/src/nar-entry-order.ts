import { MAX_FILE_NAME_BYTES, MAX_NAR_DEPTH } from './nar-format.ts';

const SLOT_BYTES = MAX_FILE_NAME_BYTES + 1;
const FIRST_LEVELS = 16;

/**
 * Remembers the latest name of each open folder, to compare the next one with. One flat piece of
 * memory with a slot a level: nothing is allocated for a name.
 */
export class NarEntryOrder {
  #names = Buffer.alloc(FIRST_LEVELS * SLOT_BYTES);
  #lengths = new Uint8Array(FIRST_LEVELS);
  #depth = 0;

  get depth(): number {
    return this.#depth;
  }

  /** Opens a folder; false when that is one too many. */
  enter(): boolean {
    if (this.#depth >= MAX_NAR_DEPTH) return false;
    if (this.#depth === this.#lengths.length) this.#grow();
    this.#lengths[this.#depth] = 0;
    this.#depth += 1;
    return true;
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** Keeps `name` (1 to 255 bytes) if it comes after the one before it in this folder. */
  advance(name: Uint8Array): boolean {
    const level = this.#depth - 1;
    const start = level * SLOT_BYTES;
    if (!this.#isAfter(name, start, this.#lengths[level] ?? 0)) return false;
    this.#names.set(name, start);
    this.#lengths[level] = name.length;
    return true;
  }

  #isAfter(name: Uint8Array, start: number, previousLength: number): boolean {
    const shared = Math.min(name.length, previousLength);
    for (let index = 0; index < shared; index += 1) {
      const difference = (name[index] ?? 0) - (this.#names[start + index] ?? 0);
      if (difference !== 0) return difference > 0;
    }
    return name.length > previousLength;
  }

  #grow(): void {
    const levels = this.#lengths.length * 2;
    const names = Buffer.alloc(levels * SLOT_BYTES);
    names.set(this.#names);
    const lengths = new Uint8Array(levels);
    lengths.set(this.#lengths);
    this.#names = names;
    this.#lengths = lengths;
  }
}
