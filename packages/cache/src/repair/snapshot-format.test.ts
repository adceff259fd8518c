import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isFlywheelError } from '@flywheel/base';
import { formatSnapshot, parseSnapshot, type SnapshotRecord } from './snapshot-format.ts';

const object = fc.record({
  type: fc.constant('object' as const),
  cache: fc.string(),
  store_path_hash: fc.string(),
  store_path: fc.string(),
  nar_hash: fc.string(),
  references: fc.array(fc.string()),
  deriver: fc.option(fc.string()),
  system: fc.option(fc.string()),
  sigs: fc.array(fc.string()),
  ca: fc.option(fc.string()),
  created_at: fc.nat(),
  last_used_at: fc.nat(),
  created_by: fc.option(fc.string()),
});

async function* each<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list;
}

async function linesOf(records: readonly SnapshotRecord[]): Promise<readonly string[]> {
  const text = await Array.fromAsync(formatSnapshot(7, each(records)));
  return text.map((line) => line.slice(0, -1));
}

test('records come back as they were, whatever is in them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(object, { maxLength: 5 }), async (records) => {
      const lines = await linesOf(records);
      expect(lines.every((line) => !line.includes('\n'))).toBe(true);
      const [head, ...parsed] = await Array.fromAsync(parseSnapshot(each(lines)));
      expect(head).toMatchObject({ created_at: 7 });
      expect(parsed).toEqual(records);
    }),
  );
});

test('without one of its lines, or with one more, it is corrupt', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(object, { maxLength: 5 }), fc.nat(), async (records, at) => {
      const lines = await linesOf(records);
      const place = at % lines.length;
      for (const changed of [lines.toSpliced(place, 1), [...lines, lines[place] ?? '']]) {
        const failure = await Array.fromAsync(parseSnapshot(each(changed))).catch(
          (error: unknown) => error,
        );
        expect(isFlywheelError(failure, 'corrupt')).toBe(true);
      }
    }),
  );
});
