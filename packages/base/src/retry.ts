import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  /** How often to try in all. */
  readonly attempts: number;
  /** The first wait; each further one doubles, plus up to half of itself at random. */
  readonly firstDelayMs: number;
  readonly maxDelayMs?: number;
  /** Which failures are worth another try; the rest are thrown at once. */
  readonly when: (error: unknown) => boolean;
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
  readonly signal?: AbortSignal;
}

/** Runs `work` until it succeeds, fails for good, or the attempts are used up. */
export async function retry<T>(
  work: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= options.attempts || !options.when(error)) throw error;
      const base = Math.min(
        options.firstDelayMs * 2 ** (attempt - 1),
        options.maxDelayMs ?? Number.POSITIVE_INFINITY,
      );
      const delayMs = base * (1 + Math.random() / 2);
      options.onRetry?.(error, attempt, delayMs);
      await sleep(delayMs, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}
