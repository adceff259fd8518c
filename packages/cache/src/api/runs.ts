import { z } from 'zod';
import type { Claims } from '../access/claims.ts';
import { mayEverywhere } from '../access/everywhere.ts';
import { permissionsFor } from '../access/permissions.ts';
import type { Run } from '../db/runs.ts';
import type { RunKind } from '../runs/run-kind.ts';
import { authorize, claimsOf, unauthorized } from './authorize.ts';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { inShape, jsonBody } from './request-body.ts';
import type { Handler } from './router.ts';

const BODY_LIMIT = 64 * 1024;
const LISTED = 200;

const Request = z.looseObject({ kind: z.string() });
const Cache = z.looseObject({ cache: z.string().optional() });

/** POST /_flywheel/v1/runs: asks for maintenance; some process does it soon. */
export function requestRun(parts: ApiParts): Handler {
  return async (c) => {
    const claims = await holderOf(parts, c);
    const body = await jsonBody(c, Request, BODY_LIMIT);
    const kind = parts.runs.find(body.kind);
    if (kind === undefined) {
      const known = parts.runs.kinds.map(({ name }) => name).join(', ');
      throw wireError('RequestError', `there is no kind of run "${body.kind}"; there is: ${known}`);
    }
    const { kind: _, ...given } = body;
    const options = inShape(given, kind.options);
    const cache = cacheOf(options);
    if (cache !== undefined) await authorize(parts, c, cache, kind.permission);
    else if (!mayEverywhere(claims.grants, kind.permission)) throw wireError('AccessError');
    const run = await parts.store.metadata.requestRun({
      kind: kind.name,
      options,
      requestedBy: claims.subject ?? 'a token without a name',
    });
    parts.runs.nudge(kind.name);
    parts.logger.info('run requested', { run: run.id, kind: kind.name, by: claims.subject });
    return c.json(wireRun(run), 202);
  };
}

/** GET /_flywheel/v1/runs: those that the caller may ask for, the newest first. */
export function listRuns(parts: ApiParts): Handler {
  return async (c) => {
    const claims = await holderOf(parts, c);
    const runs = await parts.store.metadata.listRuns(LISTED);
    return c.json({ runs: runs.filter((run) => maySee(parts, claims, run)).map(wireRun) });
  };
}

/** GET /_flywheel/v1/runs/{id}: its state and how far it is. */
export function getRun(parts: ApiParts): Handler {
  return async (c) => {
    const claims = await holderOf(parts, c);
    const id = c.param('run');
    const run = /^\d{1,15}$/.test(id) ? await parts.store.metadata.findRun(Number(id)) : undefined;
    // Also for a run that the caller may not see: its number says nothing.
    if (run === undefined || !maySee(parts, claims, run)) {
      throw wireError('NoSuchObject', `there is no run ${id.slice(0, 20)}, or it is not for you`);
    }
    return c.json(wireRun(run));
  };
}

/** The claims of somebody who may do anything at all. Throws 401 for others. */
async function holderOf(parts: ApiParts, c: ApiContext): Promise<Claims> {
  const claims = await claimsOf(parts, c);
  if (claims !== undefined && claims.grants.length > 0) return claims;
  throw await unauthorized(parts, c);
}

function maySee(parts: ApiParts, { grants }: Claims, run: Run): boolean {
  const permission: RunKind['permission'] = parts.runs.find(run.kind)?.permission ?? 'delete';
  const cache = cacheOf(run.options);
  if (mayEverywhere(grants, permission)) return true;
  return cache !== undefined && permissionsFor(grants, cache).has(permission);
}

function cacheOf(options: unknown): string | undefined {
  const { success, data } = Cache.safeParse(options);
  return success ? data.cache : undefined;
}

function wireRun(run: Run) {
  return {
    id: run.id,
    kind: run.kind,
    options: run.options,
    state: run.state,
    requested_by: run.requestedBy ?? null,
    requested_at: run.requestedAt,
    started_at: run.startedAt ?? null,
    heartbeat_at: run.heartbeatAt ?? null,
    finished_at: run.finishedAt ?? null,
    progress: run.progress ?? null,
    result: run.result ?? null,
    error: run.error ?? null,
  };
}
