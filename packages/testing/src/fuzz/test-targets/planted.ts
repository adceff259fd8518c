import type { FuzzTarget } from '../fuzz-target.ts';

/** A fault behind three bytes, each of which is compared only after the one before it was right. */
export function openTarget(): FuzzTarget {
  return {
    covers: ['packages/testing/src/fuzz/test-targets/planted.ts'],
    seeds: [Buffer.from('........')],
    maxBytes: 64,
    run(input) {
      if (input[0] === 0xf1) {
        if (input[1] === 0x07) {
          if (input[2] === 0xee) throw new TypeError('planted');
        }
      }
    },
  };
}
