import type { Logger } from '@flywheel/base';

/** Something read from files, read again when they change. */
export interface Reloaded<T> {
  readonly current: T;
  /** Ends the looking. */
  close(): void;
}

export interface ReloadedOptions<T> {
  readonly what: string;
  readonly load: () => Promise<T>;
  /** Cheap, and another text after every change. */
  readonly mark: () => Promise<string>;
  readonly onChange?: () => void;
  readonly logger: Logger;
  readonly everyMs?: number | undefined;
}

/** Well below the ten seconds in which a change should count on every replica. */
const EVERY_MS = 4000;

/**
 * Loads, and then looks every few seconds whether that has to be done again. Polled, because events
 * of files do not come from network file systems. The first failure is thrown; after that the last
 * good state stays, and each broken one is logged once.
 */
export async function openReloaded<T>(options: ReloadedOptions<T>): Promise<Reloaded<T>> {
  const { what, load, mark, onChange, logger, everyMs = EVERY_MS } = options;
  let seen = await mark();
  let current = await load();
  let lastProblem = '';

  async function look(): Promise<void> {
    try {
      const now = await mark();
      if (now === seen) return;
      current = await load();
      seen = now;
      lastProblem = '';
      logger.info(`${what} read again`);
      onChange?.();
    } catch (error) {
      const problem = String(error);
      if (problem !== lastProblem) logger.error(`${what} cannot be read again`, { error });
      lastProblem = problem;
    }
  }

  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look().finally(() => (looking = undefined));
  }, everyMs);
  timer.unref();
  return {
    get current() {
      return current;
    },
    close: () => clearInterval(timer),
  };
}
