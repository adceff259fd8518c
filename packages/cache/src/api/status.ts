import { SecretKey } from '@flywheel/nix';
import { RETENTION } from '../retention/retention-run.ts';
import { claimsOf, unauthorized } from './authorize.ts';
import type { ApiContext } from './context.ts';
import { endpointsOf } from './endpoints.ts';
import type { ApiParts } from './parts.ts';
import type { Handler } from './router.ts';
import { renderStatusPage, type Status } from './status-page.ts';

/** A page may be reloaded at once. */
const FRESH_MS = 2000;

/** GET /_status.json: the figures of the status page. */
export function statusJson(parts: ApiParts): Handler {
  return async (c) => {
    if (!(await mayReadFigures(parts, c))) throw await unauthorized(parts, c);
    const { statistics, caches, extra, takenAt, lastRun } = await readStatus(
      parts,
      c.incoming.headers,
    );
    const last_retention = lastRun && { state: lastRun.state, finished_at: lastRun.finishedAt };
    return c.json({
      ...extra,
      ...statistics,
      caches_public: caches,
      taken_at: takenAt,
      last_retention,
    });
  };
}

/** GET /: for a person. */
export function statusPage(parts: ApiParts): Handler {
  return async (c) => {
    const status = await readStatus(parts, c.incoming.headers);
    return c.html(renderStatusPage(status, await mayReadFigures(parts, c)), 200, {
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    });
  };
}

/** The figures count private caches too: on loopback everybody may read them, elsewhere a token. */
export async function mayReadFigures(parts: ApiParts, c: ApiContext): Promise<boolean> {
  return parts.settings.publicStatus || (await claimsOf(parts, c)) !== undefined;
}

async function readStatus(
  parts: ApiParts,
  headers: Parameters<typeof endpointsOf>[1],
): Promise<Status> {
  const { statistics, caches: rows, takenAt } = await parts.storeFigures(FRESH_MS);
  const { substituter } = endpointsOf(parts.settings, headers);
  const caches = rows
    .filter((cache) => cache.isPublic)
    .map((cache) => ({
      name: cache.name,
      publicKey: SecretKey.parse(cache.secretKey).publicKey,
      substituter: `${substituter}${cache.name}`,
    }));
  const lastRun = await parts.store.metadata.latestRun(RETENTION);
  return { statistics, caches, takenAt, lastRun, extra: parts.status() };
}
