import { expect, test } from 'vitest';
import { DURATION_BOUNDS, RequestFigures } from './request-figures.ts';

test('a duration belongs to the smallest bound that is not below it', () => {
  const figures = new RequestFigures();
  for (const seconds of [0, 0.0005, 0.0006, 1, 300, 301]) figures.record('get-nar', 200, seconds);
  figures.record('get-nar', 404, 1);
  const route = figures.routes().get('get-nar');
  const filled = DURATION_BOUNDS.map((bound, i) => [bound, route?.durations[i]]);
  expect(filled.filter(([, count]) => count !== 0)).toEqual([
    [0.0005, 2],
    [0.001, 1],
    [1, 2],
    [300, 1],
  ]);
  expect(route?.count).toBe(7);
  expect(route?.seconds).toBeCloseTo(603.0011);
  expect([...(route?.byStatus ?? [])]).toEqual([
    [200, 6],
    [404, 1],
  ]);
});
