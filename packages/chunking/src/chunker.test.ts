import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gearTable } from './gear.ts';
import { Chunker, type ChunkSizes } from './index.ts';

const SMALL: ChunkSizes = { min: 256, avg: 1024, max: 4096 };

/** Deterministic bytes that look random: SHA-256 of a counter. */
function sampleBytes(length: number, seed = 'sample'): Buffer {
  const pieces: Buffer[] = [];
  for (let i = 0; i * 32 < length; i += 1) {
    pieces.push(createHash('sha256').update(`${seed} ${i}`).digest());
  }
  return Buffer.concat(pieces).subarray(0, length);
}

function cutAll(data: Uint8Array, sizes: ChunkSizes, piece = data.length): Buffer[] {
  const chunker = new Chunker(sizes);
  const chunks: Buffer[] = [];
  for (let at = 0; at < data.length; at += piece) {
    for (const chunk of chunker.push(data.subarray(at, at + piece)))
      chunks.push(Buffer.from(chunk));
  }
  for (const chunk of chunker.finish()) chunks.push(Buffer.from(chunk));
  return chunks;
}

/** FastCDC as the paper writes it, with BigInt: slow, and obviously right. */
function referenceLengths(data: Uint8Array, { min, avg, max }: ChunkSizes): number[] {
  const gear = gearTable();
  const bits = BigInt(Math.log2(avg));
  const mask = (count: bigint) => ((1n << count) - 1n) << (64n - count);
  const lengths: number[] = [];
  for (let start = 0; start < data.length;) {
    const limit = Math.min(data.length - start, max);
    let hash = 0n;
    let length = limit;
    for (let at = min; at < limit; at += 1) {
      hash = BigInt.asUintN(64, (hash << 1n) + (gear[data[start + at]!] as bigint));
      if ((hash & mask(at < avg ? bits + 1n : bits - 1n)) === 0n) {
        length = at + 1;
        break;
      }
    }
    lengths.push(length);
    start += length;
  }
  return lengths;
}

test('cuts where the reference implementation cuts', () => {
  const data = sampleBytes(300_000);
  const lengths = cutAll(data, SMALL).map((chunk) => chunk.length);
  expect(lengths).toEqual(referenceLengths(data, SMALL));
  expect(lengths.length).toBeGreaterThan(150);
});

test('the boundaries are part of the store format and must not move', () => {
  const lengths = cutAll(sampleBytes(1_000_000), { min: 16384, avg: 65536, max: 262144 });
  expect(lengths.map((chunk) => chunk.length)).toEqual(
    referenceLengths(sampleBytes(1_000_000), { min: 16384, avg: 65536, max: 262144 }),
  );
  expect(createHash('sha256').update(Buffer.from(gearTable().buffer)).digest('hex')).toBe(
    '540b65e1dbcd51bd5df1330a0891820531726f8b76faba45df62f304c3cb16a7',
  );
});

test('how the input arrives does not matter, and nothing is lost', () => {
  const data = sampleBytes(60_000);
  const whole = cutAll(data, SMALL);
  expect(Buffer.concat(whole).equals(data)).toBe(true);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70_000 }), (piece) => {
      const chunks = cutAll(data, SMALL, piece);
      return chunks.length === whole.length && chunks.every((chunk, i) => chunk.equals(whole[i]!));
    }),
    { numRuns: 30, examples: [[1], [4096], [16384]] },
  );
});

test('an edit moves only the boundaries near it', () => {
  const before = sampleBytes(500_000);
  const after = Buffer.concat([
    before.subarray(0, 200_000),
    Buffer.from('inserted'),
    before.subarray(200_000),
  ]);
  const known = new Set(cutAll(before, SMALL).map((chunk) => chunk.toString('latin1')));
  const fresh = cutAll(after, SMALL).filter((chunk) => !known.has(chunk.toString('latin1')));
  expect(fresh.length).toBeLessThanOrEqual(4);
});

test('all zeros give chunks of the largest size', () => {
  const lengths = cutAll(Buffer.alloc(10_000), SMALL).map((chunk) => chunk.length);
  expect(lengths).toEqual([4096, 4096, 1808]);
});

test('a finished chunker starts afresh, and an empty stream has no chunks', () => {
  const data = sampleBytes(50_000);
  const chunker = new Chunker(SMALL);
  expect([...chunker.finish()]).toEqual([]);
  const lengths = () => [...chunker.push(data), ...chunker.finish()].map((chunk) => chunk.length);
  const first = lengths();
  expect(lengths()).toEqual(first);
  expect(first.reduce((sum, length) => sum + length, 0)).toBe(50_000);
});

test('sizes that make no sense are refused', () => {
  expect(() => new Chunker({ min: 10, avg: 1000, max: 2000 })).toThrow('chunk sizes 10/1000/2000');
});
