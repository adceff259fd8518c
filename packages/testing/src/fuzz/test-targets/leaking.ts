import type { FuzzTarget } from '../fuzz-target.ts';

/** Remembers every input. */
export function openTarget(): FuzzTarget {
  const kept: string[] = [];
  return {
    covers: ['packages/testing/src/fuzz/test-targets/leaking.ts'],
    seeds: [Buffer.from('.'.repeat(1000))],
    run(input) {
      kept.push(Buffer.from(input).toString('hex'));
    },
  };
}
