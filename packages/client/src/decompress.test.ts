import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collect } from '@flywheel/base';
import { decompress } from './decompress.ts';

const LIMIT = 1_000_000;

/** RFC 8878, section 3.1.2: readers pass over its content. */
function skippable(content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a5e, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0, i = 0; start < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    pieces.push(bytes.subarray(start, start + size));
    start += size;
  }
  return pieces;
}

test('zstd of many frames with skippable ones between, however it arrives', async () => {
  const part = fc.record({ content: fc.uint8Array({ maxLength: 2000 }), skip: fc.boolean() });
  const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), sizes, async (parts, cuts) => {
      const stream = parts.map(({ content, skip }) =>
        skip ? skippable(Buffer.from(content)) : zstdCompressSync(content),
      );
      const plain = parts.filter(({ skip }) => !skip).map(({ content }) => content);
      const body = split(Buffer.concat(stream), cuts);
      const result = await collect(decompress(body, 'zstd'), LIMIT);
      expect(result.equals(Buffer.concat(plain))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('gzip in several members, brotli and none', async () => {
  const [a, b] = [Buffer.from('first '), Buffer.from('second')];
  const gzip = [gzipSync(a), gzipSync(b)];
  expect((await collect(decompress(gzip, 'gzip'), LIMIT)).toString()).toBe('first second');
  const brotli = [brotliCompressSync(b)];
  expect((await collect(decompress(brotli, 'br'), LIMIT)).toString()).toBe('second');
  expect((await collect(decompress([a, b], 'none'), LIMIT)).toString()).toBe('first second');
});

test('damage is corrupt, an unknown method unsupported, and the body keeps its own error', async () => {
  const zstd = zstdCompressSync(Buffer.alloc(100_000, 'abcdefg'));
  const run = (body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, method = 'zstd') =>
    collect(decompress(body, method), LIMIT);
  await expect(run([zstd.subarray(0, -3)])).rejects.toMatchObject({ code: 'corrupt' });
  await expect(run([Buffer.from('no zstd at all')])).rejects.toMatchObject({ code: 'corrupt' });
  await expect(run([zstd], 'lzip')).rejects.toMatchObject({ code: 'unsupported' });
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield zstd.subarray(0, 10);
    throw new Error('the line is dead');
  };
  await expect(run(failing())).rejects.toThrow('the line is dead');
});
