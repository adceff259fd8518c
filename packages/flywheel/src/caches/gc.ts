import { formatBytes, formatDuration } from '@flywheel/base';
import { z } from 'zod';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { listRuns, requestRun, type Run } from './run-api.ts';
import { waitForRun } from './wait-for-run.ts';

export interface GcFlags extends OutputFlags, ServerFlags {
  readonly cache?: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

const KIND = 'retention';

const Result = z.object({
  dry_run: z.boolean(),
  caches: z.array(
    z.object({
      cache: z.string(),
      paths: z.number(),
      logical_bytes: z.number(),
      stored_bytes: z.number(),
      kept_paths: z.number(),
      kept_bytes: z.number(),
      over_quota: z.boolean(),
      examples: z.array(z.string()),
    }),
  ),
  reclaimed: z.object({ packs: z.number(), bytes: z.number() }).optional(),
  repacked: z.object({ packs: z.number(), bytes: z.number() }).optional(),
  gathered: z.object({ objects: z.number(), packs: z.number() }).optional(),
});

type Result = z.infer<typeof Result>;

/** Asks the server to remove what its caches do not keep. A dry run is always waited for. */
export async function runCacheGc(context: CliContext, flags: GcFlags): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const dryRun = flags.dryRun === true;
  const options = { dry_run: dryRun, cache: flags.cache };
  const asked = await requestRun(server, KIND, options, context.signal);
  if (!dryRun && flags.wait !== true) {
    output.print(`Asked for run ${asked.id}. ./flywheel cache gc history shows how it went.`);
    output.result(asked);
    return;
  }
  const run = await waitForRun(output, server, asked, context.signal);
  describeResult(output, Result.parse(run.result));
  output.result(run);
}

export async function runGcHistory(
  context: CliContext,
  flags: OutputFlags & ServerFlags,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const runs = (await listRuns(server, context.signal)).filter(({ kind }) => kind === KIND);
  if (runs.length === 0) output.print('There was no run yet that you may see.');
  else output.print(formatTable([HEAD, ...runs.map(rowOf)]));
  output.result({ runs });
}

const HEAD = ['RUN', 'ASKED FOR', 'BY', 'STATE', 'TOOK', 'WHAT'];

function rowOf(run: Run): readonly string[] {
  const { started_at: startedAt, finished_at: finishedAt } = run;
  return [
    String(run.id),
    new Date(run.requested_at).toISOString(),
    run.requested_by ?? 'every hour',
    run.state,
    startedAt === null || finishedAt === null ? '' : formatDuration(finishedAt - startedAt),
    run.error ?? whatText(run),
  ];
}

function whatText({ result, progress }: Run): string {
  const { success, data } = Result.safeParse(result);
  if (!success) return progress?.step ?? '';
  const paths = data.caches.reduce((sum, cache) => sum + cache.paths, 0);
  if (data.dry_run) return `dry run: ${paths} paths would go`;
  const freed = formatBytes(data.reclaimed?.bytes ?? 0);
  return `${paths} paths, ${data.reclaimed?.packs ?? 0} packs, ${freed} freed`;
}

function describeResult(output: Output, result: Result): void {
  const verb = result.dry_run ? 'would go' : 'went';
  if (result.caches.length === 0) output.print('No cache has a retention period or a quota.');
  for (const cache of result.caches) {
    output.print(
      `${output.style('bold', cache.cache)}: ${cache.paths} paths ${verb} (${formatBytes(cache.logical_bytes)} of NARs, ${formatBytes(cache.stored_bytes)} stored); ${cache.kept_paths} stay (${formatBytes(cache.kept_bytes)} stored)`,
    );
    for (const path of cache.examples) output.print(`    ${path}`);
    const more = cache.paths - cache.examples.length;
    if (more > 0) output.print(`    and ${more} more`);
    if (cache.over_quota) {
      output.note(`${cache.cache} is over its quota: what stays is pinned, or was used lately.`);
    }
  }
  const { reclaimed, repacked, gathered } = result;
  if (reclaimed === undefined || repacked === undefined) return;
  output.print(
    `Removed ${reclaimed.packs} packs (${formatBytes(reclaimed.bytes)}), rewrote ${repacked.packs}, which gives back ${formatBytes(repacked.bytes)} in an hour.`,
  );
  if (gathered !== undefined) {
    output.print(
      `Copied ${gathered.objects} chunks that were taken over from Attic into ${gathered.packs} packs.`,
    );
  }
}
