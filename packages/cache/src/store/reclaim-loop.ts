import { reclaim, type ReclaimOptions } from './reclaim.ts';
import type { NarStore } from './nar-store.ts';

const EVERY_MS = 60 * 60 * 1000;

/**
 * Reclaims once after the start, when everything unknown from before it is an orphan, and then
 * every hour. `stop` waits for a run under way.
 */
export function startReclaiming(store: NarStore, startedAt: number): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  const run = (options: ReclaimOptions): void => {
    running = running.then(async () => {
      try {
        const result = await reclaim(store, options);
        const found = result.nars + result.packs + result.orphans > 0;
        if (found) store.logger.info('reclaimed', { ...result });
      } catch (error) {
        store.logger.error('reclaiming failed; it is tried again in an hour', { error });
      }
    });
  };
  run({ orphansBefore: startedAt });
  const timer = setInterval(run, EVERY_MS, {});
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
