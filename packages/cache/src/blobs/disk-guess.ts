/** What takes longer may have waited for the disk: 512 KiB of the page cache take 0.1 ms. */
const SLOW_MS = 4;

/** What takes longer has, whatever the file system says. */
const VERY_SLOW_MS = 25;

/** After a wait, so many operations are handed to threads before another is tried at once. */
const WARY_OPERATIONS = 32;

/**
 * Guesses whether a file operation will be served from memory. Then it is over before a thread
 * would have begun with it, and handing over costs twice: pulls of a closure on one connection take
 * half of the time without. Only afterwards is it known whether the disk was waited for; when it
 * was, what follows goes to threads for a while, so that a cold disk holds up others at one read in
 * many.
 */
export class DiskGuess {
  #wary = 0;
  #blocksRead = 0;

  /** Does it `atOnce`, or in a thread when the disk was slow lately. */
  async run<T>(atOnce: () => T, inThread: () => Promise<T>): Promise<T> {
    if (this.#wary > 0) {
      this.#wary -= 1;
      return inThread();
    }
    const beganAt = performance.now();
    try {
      return atOnce();
    } finally {
      const took = performance.now() - beganAt;
      if (took > SLOW_MS && this.#waited(took)) this.#wary = WARY_OPERATIONS;
    }
  }

  /** On a busy machine the kernel may just have let others go first; then nothing was read. */
  #waited(tookMs: number): boolean {
    const before = this.#blocksRead;
    this.#blocksRead = process.resourceUsage().fsRead;
    return this.#blocksRead > before || tookMs > VERY_SLOW_MS;
  }
}
