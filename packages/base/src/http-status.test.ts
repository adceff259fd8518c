import { expect, test } from 'vitest';
import { codeOfStatus } from './http-status.ts';

test.each([
  [401, 'unauthorized'],
  [422, 'invalid-input'],
  [507, 'no-space'],
  [429, 'unavailable'],
  [503, 'unavailable'],
])('status %i means %s', (status, code) => {
  expect(codeOfStatus(status)).toBe(code);
});
