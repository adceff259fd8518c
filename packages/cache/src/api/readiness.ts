import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError, type Clock, type Logger } from '@flywheel/base';

/** Whether this process can do its work now. */
export interface Readiness {
  /** Names of the parts that do not work; looked at anew when the last look is two seconds old. */
  failing(): Promise<readonly string[]>;
}

/** A part's name, and something cheap that throws when the part does not work. */
export type Probes = Readonly<Record<string, () => Promise<unknown>>>;

const FRESH_MS = 2000;
/** A part that does not answer within this does not work. */
const PATIENCE_MS = 2000;

export function createReadiness(probes: Probes, clock: Clock, logger: Logger): Readiness {
  let latest: { readonly at: number; readonly failing: Promise<readonly string[]> } | undefined;
  let known = '';

  async function look(): Promise<readonly string[]> {
    const results = await Promise.all(
      Object.entries(probes).map(([name, probe]) => ask(name, probe)),
    );
    const failing = results.filter((result) => result !== undefined);
    const names = failing.map(({ name }) => name);
    // Probes come every few seconds: only a change is worth a line.
    if (names.join() !== known) {
      known = names.join();
      for (const { name, error } of failing) logger.error('not ready', { part: name, error });
      if (failing.length === 0) logger.info('ready again');
    }
    return names;
  }

  return {
    failing() {
      const now = clock.now();
      if (latest === undefined || latest.at + FRESH_MS <= now)
        latest = { at: now, failing: look() };
      return latest.failing;
    },
  };
}

async function ask(
  name: string,
  probe: () => Promise<unknown>,
): Promise<{ readonly name: string; readonly error: unknown } | undefined> {
  try {
    const late = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => {
      throw new FlywheelError('unavailable', `no answer within ${PATIENCE_MS} ms`);
    });
    await Promise.race([probe(), late]);
    return undefined;
  } catch (error) {
    return { name, error };
  }
}
