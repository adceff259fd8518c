import type { FuzzTarget } from '../fuzz-target.ts';

/** One byte makes it run for ever. */
export function openTarget(): FuzzTarget {
  return {
    covers: ['packages/testing/src/fuzz/test-targets/stuck.ts'],
    seeds: [Buffer.from('..')],
    run(input) {
      while (input[0] === 0x2a) continue;
    },
  };
}
