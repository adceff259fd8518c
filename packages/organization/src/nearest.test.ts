import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

const KEYS = ['concurrency', 'timeout', 'tags', 'cache', 'min', 'max'];

test('a slip of the keyboard is understood', () => {
  expect(nearest('concurency', KEYS)).toBe('concurrency');
  expect(nearest('Timeout', KEYS)).toBe('timeout');
  expect(nearest('tgas', KEYS)).toBe('tags');
  expect(nearest('mix', KEYS)).toBe('min');
});

test('another word is not guessed at', () => {
  expect(nearest('replicas', KEYS)).toBeUndefined();
  expect(nearest('x', KEYS)).toBeUndefined();
  expect(nearest('', KEYS)).toBeUndefined();
});
