import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from './harness.ts';

/** A run as the API shows it. */
export interface WireRun {
  readonly id: number;
  readonly kind: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly requested_by: string | null;
  readonly error: string | null;
  readonly result: {
    readonly dry_run: boolean;
    readonly caches: readonly {
      readonly cache: string;
      readonly paths: number;
      readonly logical_bytes: number;
      readonly stored_bytes: number;
      readonly kept_paths: number;
      readonly over_quota: boolean;
      readonly examples: readonly string[];
    }[];
    readonly reclaimed?: { readonly nars: number; readonly packs: number };
    readonly repacked?: { readonly packs: number; readonly bytes: number };
    readonly gathered?: { readonly objects: number; readonly packs: number };
  };
}

export async function listRuns(server: TestServer): Promise<readonly WireRun[]> {
  const reply = await server.request('GET', '/_flywheel/v1/runs', {
    token: server.server.adminToken,
  });
  return (reply.json() as { runs: WireRun[] }).runs;
}

/** Waits until no run of retention waits or is under way; answers the last one. */
export async function collected(server: TestServer): Promise<WireRun> {
  for (;;) {
    const runs = (await listRuns(server)).filter(({ kind }) => kind === 'retention');
    const [last] = runs;
    const isOver = runs.every(({ state }) => state === 'done' || state === 'failed');
    if (last !== undefined && isOver) return last;
    await sleep(10);
  }
}

/** Asks for a run of retention and waits for its end. */
export async function collect(server: TestServer, options: object = {}): Promise<WireRun> {
  const reply = await server.request('POST', '/_flywheel/v1/runs', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind: 'retention', ...options }),
  });
  if (reply.status !== 202) throw new Error(`${reply.status} ${reply.text}`);
  return collected(server);
}

/** Asks for a run of this kind and waits for its end; answers its result. */
export async function runToEnd(
  server: TestServer,
  kind: string,
  options: object = {},
): Promise<object> {
  const reply = await server.request('POST', '/_flywheel/v1/runs', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind, ...options }),
  });
  const { id } = reply.json() as { id: number };
  for (;;) {
    const run = (await listRuns(server)).find((each) => each.id === id);
    if (run?.state === 'failed') throw new Error(String(run.error));
    if (run?.state === 'done') return run.result;
    await sleep(10);
  }
}
