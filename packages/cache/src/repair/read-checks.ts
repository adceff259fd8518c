import { lruCache } from '@flywheel/base';
import { parseAtticKey } from '../blobs/attic-place.ts';
import type { Nar } from '../db/metadata.ts';
import type { NarStore } from '../store/nar-store.ts';
import { createByteRate } from './byte-rate.ts';
import { checkPack } from './check-pack.ts';
import { reportDamage } from './report-damage.ts';

/** Checks what was read, after it was read: a download waits for nothing. */
export interface ReadChecks {
  /** This NAR was sent. */
  note(nar: Nar): void;
  close(): Promise<void>;
}

export interface ReadCheckParts {
  readonly store: Pick<NarStore, 'metadata' | 'blobs' | 'clock' | 'logger'>;
  readonly onDamage: () => void;
  /** Bytes a second; default 32 MiB. */
  readonly rate?: number;
}

const RATE = 32 * 1024 ** 2;
/** A pack that was intact is not read again for so long. */
const AGAIN_MS = 24 * 3600 * 1000;
/** Packs that are remembered. */
const REMEMBERED = 100_000;
/** Packs that wait. What comes beyond is checked when it is read another time. */
const WAITING = 1000;

/**
 * Reads each pack that a download has read once more, at most once a day, and compares it with its
 * checksums: right after the download it comes from memory. A changed byte is so noticed at the
 * first pull of it, which the client refuses by its hash, and not served again.
 */
export function createReadChecks({ store, onDamage, rate = RATE }: ReadCheckParts): ReadChecks {
  const { metadata, blobs, clock, logger } = store;
  const ending = new AbortController();
  const pace = createByteRate(rate, ending.signal);
  const checkedAt = lruCache<number, number>(REMEMBERED);
  const waiting = new Set<number>();
  let working: Promise<void> | undefined;

  async function check(id: number): Promise<void> {
    const [pack] = await metadata.findPacks([id]);
    if (pack === undefined) return;
    // Ours say it themselves.
    const chunks = parseAtticKey(pack.key) === undefined ? [] : await metadata.chunksOfPack(id);
    const { fault, damaged } = await checkPack(blobs, pack, { deep: false, rate: pace, chunks });
    if (fault !== undefined) await reportDamage({ store, onDamage }, pack, fault, damaged);
  }

  function start(): void {
    if (waiting.size === 0 || working !== undefined || ending.signal.aborted) return;
    working = work().finally(() => {
      working = undefined;
      start();
    });
  }

  async function work(): Promise<void> {
    for (const id of waiting) {
      if (ending.signal.aborted) return;
      waiting.delete(id);
      checkedAt.set(id, clock.now());
      await check(id).catch((error: unknown) => {
        checkedAt.delete(id);
        if (!ending.signal.aborted) logger.warn('a pack that was read was not checked', { error });
      });
    }
  }

  return {
    note({ segments }) {
      const since = clock.now() - AGAIN_MS;
      for (const { pack } of segments) {
        if (waiting.size >= WAITING) break;
        if ((checkedAt.get(pack) ?? 0) <= since) waiting.add(pack);
      }
      start();
    },
    async close() {
      ending.abort();
      await working;
    },
  };
}
