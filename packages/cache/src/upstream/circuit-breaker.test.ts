import { expect, test } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.ts';

test('after three failures it pauses, tries once, and pauses for longer each time', () => {
  let now = 0;
  const breaker = new CircuitBreaker({ now: () => now });
  const fail = () => {
    expect(breaker.admits()).toBe(true);
    breaker.failed();
  };
  fail();
  fail();
  fail();
  for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    now += pauseMs - 1;
    expect(breaker.admits(), `${pauseMs}`).toBe(false);
    now += 1;
    fail();
    expect(breaker.admits()).toBe(false);
  }
  now += 60_000;
  expect(breaker.admits()).toBe(true);
  expect(breaker.admits()).toBe(false);
  breaker.succeeded();
  expect([breaker.admits(), breaker.admits()]).toEqual([true, true]);
});

test('requests that were under way when it began to fail do not prolong the pause', () => {
  let now = 0;
  const breaker = new CircuitBreaker({ now: () => now });
  for (let turn = 0; turn < 30; turn += 1) breaker.failed();
  now += 1000;
  expect(breaker.admits()).toBe(true);
});

test('failures between successes are none', () => {
  const breaker = new CircuitBreaker({ now: () => 0 });
  for (let turn = 0; turn < 10; turn += 1) {
    breaker.failed();
    breaker.failed();
    breaker.succeeded();
  }
  expect(breaker.admits()).toBe(true);
});
