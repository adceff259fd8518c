import { reclaim, type Reclaimed } from './reclaim.ts';
import type { NarStore } from './nar-store.ts';

const EVERY_MS = 60 * 60 * 1000;

/**
 * Reclaims once after the start and then every hour, and says what came of it; undefined: it failed.
 * `stop` waits for a run under way.
 */
export function startReclaiming(
  store: NarStore,
  onRun: (result: Reclaimed | undefined) => void,
): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  const run = (): void => {
    running = running.then(async () => {
      try {
        const result = await reclaim(store);
        onRun(result);
        const found = result.nars + result.packs + result.uploads > 0;
        if (found) store.logger.info('reclaimed', { ...result });
      } catch (error) {
        onRun(undefined);
        store.logger.error('reclaiming failed; it is tried again in an hour', { error });
      }
    });
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
