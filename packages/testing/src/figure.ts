import { FlywheelError } from '@flywheel/base';
import { expect, TestRunner } from 'vitest';

/** A value that was measured, and what it had to reach. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly target: FigureTarget | null;
  readonly ok: boolean;
}

/** Bounds, both inclusive. */
export interface FigureTarget {
  readonly max?: number;
  readonly min?: number;
}

declare module 'vitest' {
  interface TaskMeta {
    figures?: Record<string, Figure>;
  }
}

/**
 * Records a measured value of the running test: it is printed, and written to the suite's file in
 * .artifacts. A missed target fails the test, but lets it measure on.
 */
export function figure(name: string, value: number, unit: string, target?: FigureTarget): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) {
    throw new FlywheelError('invalid-input', `figure "${name}" was recorded outside of a test`);
  }
  const ok = meetsTarget(value, target);
  test.meta.figures = { ...test.meta.figures, [name]: { value, unit, target: target ?? null, ok } };
  expect.soft(ok, `${name}: ${value} ${unit}, the target is ${describeTarget(target)}`).toBe(true);
}

/** Since a `performance.now()`, in tenths: what a figure of seconds is written with. */
export function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 100) / 10;
}

/** NaN, the value of a measurement that went wrong, meets nothing. */
function meetsTarget(value: number, target: FigureTarget = {}): boolean {
  if (!Number.isFinite(value)) return false;
  return value <= (target.max ?? Infinity) && value >= (target.min ?? -Infinity);
}

export function describeTarget({ min, max }: FigureTarget = {}): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`;
  if (max !== undefined) return `at most ${max}`;
  return min === undefined ? 'a number' : `at least ${min}`;
}
