import { Semaphore } from '@flywheel/base';

/** A buffer that a writer fills and sends. */
export interface PartBuffer {
  readonly bytes: Buffer;
  /** Gives it back. With `spoilt`, its memory is not used again: a socket may still read from it. */
  release(spoilt?: boolean): void;
}

/**
 * The memory of all uploads' parts: never more than `count` buffers, whatever the number and size
 * of uploads. A writer holds at most one that it fills, so whoever waits waits for parts that are
 * being sent or filled, never for another who waits.
 */
export class PartBuffers {
  readonly size: number;
  readonly #places: Semaphore;
  readonly #free: Buffer[] = [];

  constructor(size: number, count: number) {
    this.size = size;
    this.#places = new Semaphore(count);
  }

  async acquire(): Promise<PartBuffer> {
    const leave = await this.#places.acquire();
    const bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.size);
    let held = true;
    return {
      bytes,
      release: (spoilt = false) => {
        if (!held) return;
        held = false;
        if (!spoilt) this.#free.push(bytes);
        leave();
      },
    };
  }
}
