import { reclaim } from './reclaim.ts';
import type { NarStore } from './nar-store.ts';

const EVERY_MS = 60 * 60 * 1000;

/** Reclaims once after the start and then every hour. `stop` waits for a run under way. */
export function startReclaiming(store: NarStore): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  const run = (): void => {
    running = running.then(async () => {
      try {
        const result = await reclaim(store);
        const found = result.nars + result.packs + result.uploads > 0;
        if (found) store.logger.info('reclaimed', { ...result });
      } catch (error) {
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
