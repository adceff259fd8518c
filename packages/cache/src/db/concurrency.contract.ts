import { expect, test } from 'vitest';
import type { DatabaseHandle } from './database.ts';
import { simulate } from './test-simulation.ts';

/**
 * What every database must withstand, with `open` giving the handles of some replicas on one. Each
 * seed is another history.
 */
export function concurrencyContract(
  open: () => Promise<readonly DatabaseHandle[]>,
  seeds: readonly number[],
): void {
  test.for(seeds)(
    'uploads, deletions, damage, expiry, reclaiming, repacking and gathering at once leave all true and nothing over (%i)',
    async (seed) => {
      const handles = await open();

      const result = await simulate({ handles, operations: 1500, parallel: 4, seed });

      expect(result.broken).toEqual([]);
      // A simulation in which nothing happens proves nothing.
      expect(result.uploads).toBeGreaterThan(100);
      expect(result.deduplicated).toBeGreaterThan(30);
      expect(result.removedPacks).toBeGreaterThan(30);
      expect(result.expired).toBeGreaterThan(10);
      expect(result.repacked).toBeGreaterThan(10);
      expect(result.gathered).toBeGreaterThan(0);
      expect(result.conflicts).toBeGreaterThan(0);
      await Promise.all(handles.map((handle) => handle.db.destroy()));
    },
  );
}
