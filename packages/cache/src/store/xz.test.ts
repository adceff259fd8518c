import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { compress } from '@napi-rs/lzma/xz';
import { expect, test } from 'vitest';
import { collect, FlywheelError } from '@flywheel/base';
import { decompress } from './decompress.ts';

/** Half of it does not compress. */
const PLAIN = Buffer.concat([
  ...Array.from({ length: 5000 }, (_, at) => createHash('sha256').update(`${at}`).digest()),
  Buffer.alloc(160_000, 'repeated '),
]);
const LIMIT = 10 * 1024 * 1024;

/** Every piece in the same memory, which is overwritten as soon as the next one is asked for. */
async function* pieces(file: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const shared = Buffer.alloc(size);
  for (let at = 0; at < file.length; at += size) {
    const length = Math.min(size, file.length - at);
    shared.set(file.subarray(at, at + length));
    yield shared.subarray(0, length);
    shared.fill(0);
    if (at % 3 === 0) await turn();
    yield shared.subarray(0, 0);
  }
  await turn();
}

test.each([PLAIN.length * 2, 65_536, 4093, 512])(
  'files that arrive in pieces of %d bytes, several at once, are whole',
  async (size) => {
    const file = await compress(PLAIN);
    const all = await Promise.all(
      Array.from({ length: 4 }, () => collect(decompress(pieces(file, size), 'xz'), LIMIT)),
    );
    expect(all.map((plain) => plain.equals(PLAIN))).toEqual([true, true, true, true]);
  },
);

test('a file that is cut says so, and how much of it there was', async () => {
  const file = await compress(PLAIN);
  const cut = file.subarray(0, 100_000);
  await expect(collect(decompress(pieces(cut, 4096), 'xz'), LIMIT)).rejects.toMatchObject({
    code: 'invalid-input',
    message: 'the body is not valid xz: it ends in the middle (it has 100000 bytes)',
  });
});

test('a body that breaks off is no fault of the file', async () => {
  const file = await compress(PLAIN);
  const broken = new FlywheelError('unavailable', 'the sender went away');
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* pieces(file.subarray(0, 100_000), 4096);
    throw broken;
  }
  await expect(collect(decompress(body(), 'xz'), LIMIT)).rejects.toBe(broken);
});

test('who stops in the middle lets go of the body', async () => {
  const file = await compress(PLAIN);
  const { promise: released, resolve } = Promise.withResolvers<string>();
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield* pieces(file, 4096);
    } finally {
      resolve('released');
    }
  }
  for await (const piece of decompress(body(), 'xz')) {
    if (piece.length > 0) break;
  }
  expect(await released).toBe('released');
});
