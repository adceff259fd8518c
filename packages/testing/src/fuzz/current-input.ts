import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Where a process says what it is trying, so that another sees it after a hang or a crash. */
export class CurrentInput {
  readonly #file: number;
  readonly #buffer: Buffer;
  #tried = 0;

  constructor(path: string, maxBytes: number) {
    this.#file = openSync(path, 'w');
    this.#buffer = Buffer.alloc(8 + maxBytes);
  }

  /** One write into the page cache: 2 µs. */
  set(input: Uint8Array): void {
    this.#tried += 1;
    this.#buffer.writeUInt32LE(this.#tried >>> 0, 0);
    this.#buffer.writeUInt32LE(input.length, 4);
    this.#buffer.set(input, 8);
    writeSync(this.#file, this.#buffer, 0, 8 + input.length, 0);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Undefined: nothing was tried yet. `tried` counts up with each input. */
export function readCurrentInput(
  path: string,
): { readonly tried: number; readonly input: Buffer } | undefined {
  const bytes = readFileSync(path);
  if (bytes.length < 8) return undefined;
  const length = bytes.readUInt32LE(4);
  return { tried: bytes.readUInt32LE(0), input: bytes.subarray(8, 8 + length) };
}
