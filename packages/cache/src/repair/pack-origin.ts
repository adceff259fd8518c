import { z } from 'zod';
import { parseStorePath } from '@flywheel/nix';
import type { SnapshotObject } from '../db/snapshot-rows.ts';

// As api/upload-path.ts writes it. `nix copy` brings a NAR before the narinfo that describes it, so
// its packs say only which cache they came to.
const Origin = z.object({
  cache: z.string(),
  storePathHash: z.string(),
  storePath: z.string(),
  references: z.array(z.string()),
  deriver: z.string().optional(),
  system: z.string().optional(),
  sigs: z.array(z.string()),
  ca: z.string().optional(),
  createdBy: z.string().optional(),
});

/** A path that a pack says it was pushed as. */
export interface OriginObject {
  readonly cache: string;
  readonly storeDir: string;
  readonly object: SnapshotObject;
}

/** The path in a pack's origin; undefined when it names none. `at` is when it was pushed. */
export function readOrigin(text: string, narHash: Buffer, at: number): OriginObject | undefined {
  try {
    const origin = Origin.parse(JSON.parse(text));
    const { storeDir, hash } = parseStorePath(origin.storePath);
    if (hash !== origin.storePathHash) return undefined;
    return {
      cache: origin.cache,
      storeDir,
      object: {
        storePathHash: hash,
        storePath: origin.storePath,
        narHash,
        references: origin.references,
        deriver: origin.deriver ?? null,
        system: origin.system ?? null,
        sigs: origin.sigs,
        ca: origin.ca ?? null,
        createdAt: at,
        lastUsedAt: at,
        createdBy: origin.createdBy ?? null,
      },
    };
  } catch {
    return undefined;
  }
}
