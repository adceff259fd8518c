import { expect, test } from 'vitest';
import { Via } from './via.ts';

test('a question is passed on by each server once, and by eight at most', () => {
  const one = new Via();
  const other = new Via();
  const first = one.onwards(undefined);
  expect(first).toMatch(/^[0-9a-f]{12}$/);
  const second = other.onwards(first);
  expect(second).toBe(`${first},${second?.split(',')[1]}`);
  expect(one.onwards(second)).toBeUndefined();
  expect(other.onwards(second)).toBeUndefined();

  let chain: string | undefined;
  for (let length = 0; length < 8; length += 1) chain = new Via().onwards(chain);
  expect(chain?.split(',')).toHaveLength(8);
  expect(new Via().onwards(chain)).toBeUndefined();
});
