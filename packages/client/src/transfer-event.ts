import type { FlywheelError } from '@flywheel/base';

/** What `pushPaths` and `pullPaths` tell of their progress. Bytes are those of plain NARs. */
export type TransferEvent =
  | {
      readonly kind: 'planned';
      /** Paths to transfer, and their bytes. */
      readonly paths: number;
      readonly bytes: number;
      /** Paths that need no transfer: there already, or in an upstream cache. */
      readonly present: number;
      readonly upstream: number;
    }
  | { readonly kind: 'start'; readonly storePath: string; readonly narSize: number }
  /** So many more; all of a path's together are at most its size, however often it is tried. */
  | { readonly kind: 'bytes'; readonly storePath: string; readonly bytes: number }
  | {
      readonly kind: 'done';
      readonly storePath: string;
      readonly narSize: number;
      /** Bytes in the cache, compressed, where the server said. */
      readonly fileSize?: number;
      /** Of a push: the part that the server had already, 0 to 1. */
      readonly deduplicated?: number;
    }
  | { readonly kind: 'failed'; readonly storePath: string; readonly error: FlywheelError };

export type OnTransfer = (event: TransferEvent) => void;

/**
 * Counts the bytes of one path over several tries, so that a progress bar never goes back: only
 * what goes beyond the furthest try is reported.
 */
export class PathProgress {
  readonly #report: (bytes: number) => void;
  #furthest = 0;
  #current = 0;

  constructor(storePath: string, onProgress: OnTransfer | undefined) {
    this.#report = (bytes) => onProgress?.({ kind: 'bytes', storePath, bytes });
  }

  restart(): void {
    this.#current = 0;
  }

  add(bytes: number): void {
    this.#current += bytes;
    if (this.#current <= this.#furthest) return;
    this.#report(this.#current - this.#furthest);
    this.#furthest = this.#current;
  }

  /** All of it counts as done, also what a server did not want to read. */
  finish(size: number): void {
    this.#current = 0;
    this.add(size);
  }
}
