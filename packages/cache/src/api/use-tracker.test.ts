import { expect, test } from 'vitest';
import { createLogger, FlywheelError } from '@flywheel/base';
import type { Metadata } from '../db/metadata.ts';
import { createUseTracker } from './use-tracker.ts';

const clock = { now: () => 5 };

test('uses are written once each, and counted until then', async () => {
  const written: unknown[] = [];
  const metadata = {
    touch: async (...use: unknown[]) => void written.push(use),
  } as Pick<Metadata, 'touch'> as Metadata;
  const uses = createUseTracker(
    metadata,
    clock,
    createLogger(() => {}),
  );
  uses.note(1, 'a');
  uses.note(1, 'a');
  uses.note(2, 'b');
  expect(uses.pending()).toBe(2);
  await uses.flush();
  expect(uses.pending()).toBe(0);
  expect(written).toEqual([
    [1, ['a'], 5],
    [2, ['b'], 5],
  ]);
  await uses.close();
});

test('a full disk loses uses, with a warning, and nothing else', async () => {
  const lines: string[] = [];
  const metadata = {
    touch: async () => {
      throw new FlywheelError('no-space', 'no space left for the database');
    },
  } as Pick<Metadata, 'touch'> as Metadata;
  const uses = createUseTracker(
    metadata,
    clock,
    createLogger((line) => lines.push(line)),
  );
  uses.note(1, 'a');
  await uses.close();
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'warn', message: 'last-use times were not written', error: { code: 'no-space' } },
  ]);
});
