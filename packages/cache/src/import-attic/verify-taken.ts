import { isFlywheelError } from '@flywheel/base';
import type { AtticRows } from '../db/attic-rows.ts';
import type { Nar } from '../db/metadata.ts';
import { createByteRate } from '../repair/byte-rate.ts';
import { isNarIntact } from '../repair/check-nar.ts';
import type { Ours, Takeover } from './takeover.ts';

export interface Verified {
  readonly nars: number;
  /** Hashes of those that were not what they should be: they are missing now. */
  readonly damaged: readonly string[];
}

const BATCH = 64;

/** Reads NARs that lie in Attic's objects, all or so many at random, and compares their hashes. */
export async function verifyTaken(
  { signal, report }: Takeover,
  { place, rows, store }: Ours,
  which: number | 'all',
): Promise<Verified> {
  const rate = createByteRate(Number.MAX_SAFE_INTEGER, signal);
  const { nars: of } = which === 'all' ? await store.metadata.statistics() : { nars: which };
  const damaged: string[] = [];
  let done = 0;
  for await (const nar of chosenNars(rows, place, which)) {
    const isIntact = await isNarIntact(store, nar, rate).catch((error: unknown) => {
      // An object of it is gone, which makes it missing in the same moment.
      if (isFlywheelError(error, 'corrupt')) return false;
      throw error;
    });
    if (!isIntact) {
      await store.metadata.markNarDamaged(nar);
      damaged.push(nar.hash.toString('hex'));
    }
    done += 1;
    report({ step: 'verifying', done, of });
  }
  return { nars: done, damaged };
}

async function* chosenNars(
  rows: AtticRows,
  place: number,
  which: number | 'all',
): AsyncGenerator<Nar> {
  if (which !== 'all') {
    yield* await rows.someNars(place, which);
    return;
  }
  for (let after = 0; ;) {
    const nars = await rows.nars(place, after, BATCH);
    const last = nars.at(-1);
    if (last === undefined) return;
    after = last.id;
    yield* nars;
  }
}
