import { formatBytes } from '@flywheel/base';
import type { Run } from '../db/runs.ts';
import type { RetentionResult } from '../retention/retention-run.ts';

/** What the status page says of the last run of retention. No name of a path or a cache. */
export function renderRetention(run: Run | undefined): string {
  if (run?.finishedAt === undefined) return '';
  const at = new Date(run.finishedAt).toISOString();
  const state = run.state === 'done' ? 'good' : 'bad';
  const text =
    run.state === 'done' ? whatText(run.result as RetentionResult) : 'It failed: see the log.';
  return `<section class="turn ${state}"><h2>Retention</h2>\n<p>${at}: ${text}</p></section>`;
}

function whatText({ dry_run: dryRun, caches, reclaimed, repacked }: RetentionResult): string {
  const paths = caches.reduce((sum, cache) => sum + cache.paths, 0);
  if (dryRun) return `a dry run; ${paths} paths would go.`;
  const freed = `${reclaimed?.packs ?? 0} packs (${formatBytes(reclaimed?.bytes ?? 0)})`;
  return `${paths} paths expired, ${freed} were removed, ${repacked?.packs ?? 0} rewritten.`;
}
