import type { Clock, Logger } from '@flywheel/base';
import type { BuildRecords } from '../db/build-records.ts';
import { inBatches } from '../db/in-batches.ts';

const EVERY_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 3600 * 1000;
/** Who looks into a log does so in the weeks after the build. */
const LOG_MS = 90 * DAY_MS;
/** `nix copy` puts a realisation after its path; whoever does it the other way has a day. */
const REALISATION_MS = DAY_MS;
const BATCH = 100;

/** Forgets logs that nobody has read for long, and realisations of paths that are gone. */
export function startTidyingBuildRecords(
  records: BuildRecords,
  clock: Clock,
  logger: Logger,
): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  const run = (): void => {
    running = running.then(() =>
      tidyBuildRecords(records, clock.now()).catch((error: unknown) =>
        logger.error('old build logs were not removed; it is tried again in an hour', { error }),
      ),
    );
  };
  run();
  const timer = setInterval(run, EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

export async function tidyBuildRecords(records: BuildRecords, now: number): Promise<void> {
  await inBatches(BATCH, (limit) => records.removeLogs(now - LOG_MS, limit));
  await inBatches(BATCH, (limit) => records.removeRealisations(now - REALISATION_MS, limit));
}
