import assert from 'node:assert/strict';
import { parseRange } from '../../../packages/cache/src/api/range.ts';
import type { FuzzTarget } from '@flywheel/testing/fuzz';

/** `SIZE\nHEADER`: a range lies within the size, and holds a byte. */
export function openTarget(): FuzzTarget {
  return {
    covers: ['packages/cache/src/api/range.ts'],
    seeds: [Buffer.from('1000\nbytes=0-99')],
    dictionary: [
      'bytes=',
      '-',
      ',',
      ' ',
      '\t',
      '0',
      '9'.repeat(20),
      '9'.repeat(400),
      'items=',
      '\n',
    ],
    run(input) {
      const [first = '', header] = Buffer.from(input).toString('latin1').split('\n', 2);
      const size = Math.min(Number(/^\d+/.exec(first)?.[0] ?? '0'), Number.MAX_SAFE_INTEGER);
      const range = parseRange(header, size);
      if (range === undefined || range === 'unsatisfiable') return;
      const { start, end } = range;
      assert.ok(Number.isSafeInteger(start) && Number.isSafeInteger(end), `${start}-${end}`);
      assert.ok(start >= 0 && start < end && end <= size, `${start}-${end} of ${size}`);
    },
  };
}
