import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isFlywheelError } from '@flywheel/base';
import {
  decodeFrame,
  decodePackIndex,
  encodeFrame,
  encodePackIndex,
  PACK_FOOTER_BYTES,
  packIndexLength,
  type PackIndex,
} from './index.ts';

const hash = (fill: number): Buffer => Buffer.alloc(32, fill);

const SAMPLE: PackIndex = {
  narHash: hash(7),
  narSize: 300,
  frames: [
    { hash: hash(1), size: 100, length: 40, crc: 0xdeadbeef },
    { hash: hash(2), size: 50, length: 30, crc: 1 },
  ],
  foreign: [{ hash: hash(3), size: 50 }],
  sequence: [0, 2, 0, 1],
  origin: '{"storePath":"/nix/store/ü"}',
};

test('an index comes back as it was, found from the end of the pack', () => {
  const pack = Buffer.concat([Buffer.from('frames…'), encodePackIndex(SAMPLE)]);
  const length = packIndexLength(pack.subarray(-PACK_FOOTER_BYTES));
  expect(decodePackIndex(pack.subarray(-length))).toEqual(SAMPLE);
});

test('a pack is a valid zstd stream of its chunks: the index is skipped', () => {
  const chunks = [Buffer.from('first chunk '), Buffer.from('second chunk')];
  const frames = chunks.map((chunk) => encodeFrame(chunk, 5));
  const pack = Buffer.concat([...frames, encodePackIndex(SAMPLE)]);
  expect(zstdDecompressSync(pack).toString()).toBe('first chunk second chunk');
  expect(decodeFrame(frames[1]!, 12).toString()).toBe('second chunk');
});

test('damage never gets through as anything but corrupt', () => {
  const good = encodePackIndex(SAMPLE);
  fc.assert(
    fc.property(
      fc.nat(good.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.nat(good.length),
      (at, flip, cut) => {
        const bad = Buffer.from(good.subarray(0, cut));
        if (at < bad.length) bad[at] = bad[at]! ^ flip;
        try {
          decodePackIndex(bad);
        } catch (error) {
          return isFlywheelError(error, 'corrupt');
        }
        return true;
      },
    ),
  );
  expect(() => decodePackIndex(good.subarray(1))).toThrow('not a valid pack index');
  expect(() => packIndexLength(Buffer.from('no pack here'))).toThrow('pack footer');
});

test('a damaged or oversized frame is corrupt', () => {
  const frame = encodeFrame(Buffer.from('hello hello hello'), 5);
  expect(() => decodeFrame(frame.subarray(0, -1), 17)).toThrow('does not decompress');
  expect(() => decodeFrame(frame, 16)).toThrow('does not decompress');
  expect(() => decodeFrame(frame, 18)).toThrow('17 bytes instead of 18');
});
