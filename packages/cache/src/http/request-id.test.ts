import { expect, test } from 'vitest';
import { requestIdOf } from './request-id.ts';

test.each(['a', '4bf92f3577b34da6a3ce929d0e0e4736', 'proxy-1:req.2_x', 'x'.repeat(128)])(
  '%s is taken as it is',
  (given) => {
    expect(requestIdOf(given)).toBe(given);
  },
);

test.each([undefined, '', '-a', 'a b', 'a\nb', '<script>', 'ä', 'x'.repeat(129), ['a', 'b']])(
  '%j is replaced by a number of our own',
  (given) => {
    const [one, other] = [requestIdOf(given), requestIdOf(given)];
    expect(one).toMatch(/^[0-9a-f]{10}-[0-9a-z]+$/);
    expect(other).not.toBe(one);
  },
);
