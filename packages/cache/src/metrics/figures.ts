import { RETENTION, type RetentionResult } from '../retention/retention-run.ts';

/**
 * What happened since the start, as plain numbers: counted where it happens, at the price of an
 * addition, and turned into metrics only when somebody asks for them.
 */
export interface Figures {
  narInfoHits: number;
  narInfoMisses: number;
  readonly uploads: Record<UploadKind, number>;
  /** Plain NAR bytes that uploads brought, and how many of them were stored already. */
  uploadedBytes: number;
  deduplicatedBytes: number;
  readonly downloads: Record<DownloadWay, number>;
  downloadsInFlight: number;
  /** Times that packs or NARs in the store were found to be damaged or gone. */
  damageFound: number;
  reclaimRuns: number;
  reclaimFailures: number;
  reclaimedNars: number;
  reclaimedPacks: number;
  reclaimedBytes: number;
  /** Paths that retention has removed, and the plain bytes of their NARs. */
  expiredPaths: number;
  expiredBytes: number;
  repackedPacks: number;
}

/**
 * `uploaded` has stored a NAR, `deduplicated` found the same one there, `staged` is one of `nix copy`
 * that waits for its narinfo.
 */
export type UploadKind = 'uploaded' | 'deduplicated' | 'staged';

/** Who sends a NAR: this server, the object store it redirects to, or the front server. */
export type DownloadWay = 'sent' | 'redirected' | 'front-server';

export function createFigures(): Figures {
  return {
    narInfoHits: 0,
    narInfoMisses: 0,
    uploads: { uploaded: 0, deduplicated: 0, staged: 0 },
    uploadedBytes: 0,
    deduplicatedBytes: 0,
    downloads: { sent: 0, redirected: 0, 'front-server': 0 },
    downloadsInFlight: 0,
    damageFound: 0,
    reclaimRuns: 0,
    reclaimFailures: 0,
    reclaimedNars: 0,
    reclaimedPacks: 0,
    reclaimedBytes: 0,
    expiredPaths: 0,
    expiredBytes: 0,
    repackedPacks: 0,
  };
}

/** Counts one run of maintenance; a result of undefined: it failed. */
export function countRun(figures: Figures, kind: string, result: unknown): void {
  if (kind !== RETENTION) return;
  if (result === undefined) {
    figures.reclaimFailures += 1;
    return;
  }
  const { dry_run: dryRun, caches, reclaimed, repacked } = result as RetentionResult;
  if (dryRun) return;
  figures.reclaimRuns += 1;
  for (const { paths, logical_bytes: bytes } of caches) {
    figures.expiredPaths += paths;
    figures.expiredBytes += bytes;
  }
  figures.reclaimedNars += reclaimed?.nars ?? 0;
  figures.reclaimedPacks += reclaimed?.packs ?? 0;
  figures.reclaimedBytes += reclaimed?.bytes ?? 0;
  figures.repackedPacks += repacked?.packs ?? 0;
}

/** Counts one upload. `share` is how much of the NAR was stored already, 0 to 1. */
export function countUpload(
  figures: Figures,
  kind: UploadKind,
  narSize: number,
  share: number,
): void {
  figures.uploads[kind] += 1;
  figures.uploadedBytes += narSize;
  figures.deduplicatedBytes += Math.round(narSize * share);
}
