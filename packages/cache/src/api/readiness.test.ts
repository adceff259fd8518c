import { expect, test } from 'vitest';
import { createLogger } from '@flywheel/base';
import { createReadiness } from './readiness.ts';

test('it names the parts that fail, asks at most every two seconds, and logs changes', async () => {
  let now = 0;
  let broken = true;
  let asked = 0;
  const lines: string[] = [];
  const logger = createLogger((line) => lines.push(line));
  const probes = {
    database: async () => {
      asked += 1;
      if (broken) throw new Error('no such file');
    },
    blobs: async () => {},
  };
  const readiness = createReadiness(probes, { now: () => now }, logger);

  expect(await readiness.failing()).toEqual(['database']);
  now = 1999;
  broken = false;
  expect(await readiness.failing()).toEqual(['database']);
  expect(asked).toBe(1);
  now = 2000;
  expect(await readiness.failing()).toEqual([]);
  now = 4000;
  expect(await readiness.failing()).toEqual([]);
  expect(asked).toBe(3);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'error', message: 'not ready', part: 'database', error: { message: 'no such file' } },
    { level: 'info', message: 'ready again' },
  ]);
});

test('a part that does not answer is not ready', async () => {
  const lines: string[] = [];
  const logger = createLogger((line) => lines.push(line));
  const probes = { database: () => new Promise(() => {}) };
  const readiness = createReadiness(probes, { now: () => 0 }, logger);
  expect(await readiness.failing()).toEqual(['database']);
  expect(lines[0]).toContain('no answer within 2000 ms');
});
