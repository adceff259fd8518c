import { formatBytes } from '@flywheel/base';
import { SecretKey } from '@flywheel/nix';
import type { Cache, StoreStatistics } from '../db/metadata.ts';
import { endpointsOf } from './endpoints.ts';
import type { ApiParts, Handler } from './parts.ts';
import { renderStatusPage } from './status-page.ts';

export interface PublicCacheStatus {
  readonly name: string;
  readonly publicKey: string;
  readonly substituter: string;
}

export interface Status {
  readonly statistics: StoreStatistics;
  /** Public caches only: what an anonymous caller may know. */
  readonly caches: readonly PublicCacheStatus[];
  readonly extra: Readonly<Record<string, unknown>>;
  readonly takenAt: number;
}

/** Counting a large store takes a while; a page that is reloaded should not. */
const FRESH_MS = 2000;

/** GET /_status.json: the figures of the status page. */
export function statusJson(parts: ApiParts): Handler {
  return async (c) => {
    const { statistics, caches, extra, takenAt } = await readStatus(parts, c.env.incoming.headers);
    return c.json({ ...extra, ...statistics, caches_public: caches, taken_at: takenAt });
  };
}

/** GET /: for a person. */
export function statusPage(parts: ApiParts): Handler {
  return async (c) => {
    const status = await readStatus(parts, c.env.incoming.headers);
    return c.html(renderStatusPage(status), 200, {
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    });
  };
}

const latest = new WeakMap<
  ApiParts,
  Promise<{ statistics: StoreStatistics; rows: readonly Cache[]; takenAt: number }>
>();

async function readStatus(
  parts: ApiParts,
  headers: Parameters<typeof endpointsOf>[1],
): Promise<Status> {
  let pending = latest.get(parts);
  if (pending === undefined || (await pending).takenAt + FRESH_MS < parts.clock.now()) {
    pending = takeStatus(parts);
    latest.set(parts, pending);
    pending.catch(() => latest.delete(parts));
  }
  const { statistics, rows, takenAt } = await pending;
  const { substituter } = endpointsOf(parts.settings, headers);
  const caches = rows
    .filter((cache) => cache.isPublic)
    .map((cache) => ({
      name: cache.name,
      publicKey: SecretKey.parse(cache.secretKey).publicKey,
      substituter: `${substituter}${cache.name}`,
    }));
  return { statistics, caches, takenAt, extra: parts.status() };
}

async function takeStatus(parts: ApiParts) {
  const { metadata } = parts.store;
  const statistics = await metadata.statistics();
  return { statistics, rows: await metadata.listCaches(), takenAt: parts.clock.now() };
}

/** `3.1× smaller`: logical bytes over stored ones, or undefined for an empty store. */
export function savingOf({ logicalBytes, storedBytes }: StoreStatistics): string | undefined {
  if (storedBytes === 0 || logicalBytes === 0) return undefined;
  return `${formatBytes(logicalBytes)} in ${formatBytes(storedBytes)}`;
}
