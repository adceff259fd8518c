import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { decodeFrame } from '@flywheel/chunking';
import { Threads } from '../threads/threads.ts';
import { createFramePool, type Slot } from './frame-pool.ts';

const threads = new Threads(2);
const pool = createFramePool({ level: 3, slotBytes: 1024 * 1024, threads });
afterAll(() => threads[Symbol.asyncDispose]());

function fill(slot: Slot, chunks: readonly Buffer[]): void {
  for (const chunk of chunks) {
    slot.input.set(chunk, slot.used);
    slot.used += chunk.length;
    slot.sizes.push(chunk.length);
  }
}

test('hashes and frames are those of the chunks, incompressible ones included', async () => {
  const chunks = [
    Buffer.alloc(70_000, 'compressible '),
    randomBytes(262_144),
    Buffer.from('x'),
    randomBytes(100_000),
  ];
  const slot = await pool.acquire();
  fill(slot, chunks);
  const hashes = await pool.hashes(slot);
  expect(hashes.map((hash) => hash.toString('hex'))).toEqual(
    chunks.map((chunk) => createHash('sha256').update(chunk).digest('hex')),
  );
  const frames = await pool.encode(slot, [0, 1, 3]);
  let offset = 0;
  for (const [i, position] of [0, 1, 3].entries()) {
    const { length, crc } = frames[i]!;
    const frame = slot.output.subarray(offset, offset + length);
    offset += length;
    const chunk = chunks[position]!;
    expect(crc32(frame)).toBe(crc);
    expect(decodeFrame(frame, chunk.length).equals(chunk)).toBe(true);
  }
  pool.release(slot);
});

test('a slot full of the smallest incompressible chunks still fits', async () => {
  const slot = await pool.acquire();
  const chunks = Array.from({ length: 8192 }, () => randomBytes(128));
  fill(slot, chunks);
  await pool.hashes(slot);
  const frames = await pool.encode(slot, [...chunks.keys()]);
  const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
  expect(bytes).toBeLessThan(slot.output.length);
  pool.release(slot);
});

test('who asks for more slots than there are waits for one to come back', async () => {
  const held = await Promise.all(Array.from({ length: pool.usage().slots }, () => pool.acquire()));
  let given = false;
  const waiting = pool.acquire().then((slot) => {
    given = true;
    return slot;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(given).toBe(false);
  pool.release(held[0]!);
  const slot = await waiting;
  expect(slot.used).toBe(0);
  for (const one of [...held.slice(1), slot]) pool.release(one);
});
