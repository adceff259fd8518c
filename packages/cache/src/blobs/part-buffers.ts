/** A buffer that a writer fills and sends. */
export interface PartBuffer {
  readonly bytes: Buffer;
  /** Gives it back. With `spoilt`, its memory is not used again: a socket may still read from it. */
  release(spoilt?: boolean): void;
}

/**
 * Kept for the next part while uploads go on: what is let go instead waits for a garbage collection,
 * and was measured to raise the peak.
 */
const KEPT = 20;
const KEPT_MS = 30_000;

/**
 * The memory of all uploads' parts: one buffer for each writer, and `spares` for those that fill a
 * part while others of theirs are sent. There is no waiting for another writer's buffer: who waits
 * holds memory of the compression, which the other one may need to go on. So the number of
 * uploads bounds the memory, and UploadGate bounds that.
 */
export class PartBuffers {
  readonly #size: number;
  #spares: number;
  readonly #free: Buffer[] = [];
  #trimmer: NodeJS.Timeout | undefined;

  constructor(size: number, spares: number) {
    this.#size = size;
    this.#spares = spares;
  }

  /** For a writer that holds none. */
  take(): PartBuffer {
    return this.#make(() => {});
  }

  /** For a writer that holds one; undefined when all are in use. */
  takeSpare(): PartBuffer | undefined {
    if (this.#spares === 0) return undefined;
    this.#spares -= 1;
    return this.#make(() => {
      this.#spares += 1;
    });
  }

  #make(onRelease: () => void): PartBuffer {
    const bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size);
    let held = true;
    return {
      bytes,
      release: (spoilt = false) => {
        if (!held) return;
        held = false;
        if (!spoilt && this.#free.length < KEPT) this.#keep(bytes);
        onRelease();
      },
    };
  }
  #keep(bytes: Buffer): void {
    this.#free.push(bytes);
    clearTimeout(this.#trimmer);
    this.#trimmer = setTimeout(() => (this.#free.length = 0), KEPT_MS).unref();
  }
}
