import type { Clock } from '@flywheel/base';
import type { Cache, Metadata, StoreStatistics } from '../db/metadata.ts';

export interface StoreFigures {
  readonly statistics: StoreStatistics;
  readonly caches: readonly Cache[];
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
}

/** Counts the store, unless the last count is at most `maxAgeMs` old: of a large one it takes a while. */
export function createStoreFigures(
  metadata: Metadata,
  clock: Clock,
): (maxAgeMs: number) => Promise<StoreFigures> {
  let latest: { readonly at: number; readonly figures: Promise<StoreFigures> } | undefined;

  async function take(takenAt: number): Promise<StoreFigures> {
    const statistics = await metadata.statistics();
    return { statistics, caches: await metadata.listCaches(), takenAt };
  }

  return (maxAgeMs) => {
    const now = clock.now();
    if (latest !== undefined && now - latest.at <= maxAgeMs) return latest.figures;
    const taken = { at: now, figures: take(now) };
    latest = taken;
    taken.figures.catch(() => {
      if (latest === taken) latest = undefined;
    });
    return taken.figures;
  };
}
