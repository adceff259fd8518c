import { z } from 'zod';
import { call, parse } from './cache-api.ts';
import type { Server } from './find-server.ts';

const Run = z.object({
  id: z.number(),
  kind: z.string(),
  options: z.record(z.string(), z.unknown()),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  requested_by: z.string().nullable(),
  requested_at: z.number(),
  started_at: z.number().nullable(),
  finished_at: z.number().nullable(),
  progress: z
    .object({ step: z.string(), done: z.number().optional(), of: z.number().optional() })
    .nullable(),
  result: z.unknown(),
  error: z.string().nullable(),
});

/** Maintenance on the server, of any kind; times in milliseconds since the epoch. */
export type Run = z.infer<typeof Run>;

const PATH = '_flywheel/v1/runs';

/** Asks for a run; `options` beside its kind. */
export async function requestRun(
  server: Server,
  kind: string,
  options: object,
  signal?: AbortSignal,
): Promise<Run> {
  const text = await call(server, PATH, signal, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind, ...options }),
  });
  return parse(Run, server, text);
}

export async function readRun(server: Server, id: number, signal?: AbortSignal): Promise<Run> {
  return parse(Run, server, await call(server, `${PATH}/${id}`, signal));
}

/** Newest first. */
export async function listRuns(server: Server, signal?: AbortSignal): Promise<readonly Run[]> {
  return parse(z.object({ runs: z.array(Run) }), server, await call(server, PATH, signal)).runs;
}
