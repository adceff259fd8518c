import type { Pack } from '../db/metadata.ts';
import type { PackRange, Quarantine } from '../db/repair-rows.ts';
import type { NarStore } from '../store/nar-store.ts';

export interface DamageParts {
  readonly store: Pick<NarStore, 'metadata' | 'logger'>;
  /** Paths have become missing: what this process remembers of them is wrong. */
  readonly onDamage?: () => void;
}

/** Makes the NARs that need damaged bytes missing, so that the next push heals them, and says so. */
export async function reportDamage(
  { store, onDamage }: DamageParts,
  pack: Pack,
  fault: string,
  damaged: readonly PackRange[],
): Promise<Quarantine> {
  const quarantine = await store.metadata.quarantinePack(pack.id, damaged);
  if (!quarantine.isNews) return quarantine;
  onDamage?.();
  const narsNowMissing = quarantine.nars;
  store.logger.error('a pack is damaged', { pack: pack.key, fault, narsNowMissing });
  return quarantine;
}
