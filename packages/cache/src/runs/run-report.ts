import type { RunMetadata } from '../db/runs.ts';
import type { RunProgress } from './run-kind.ts';

const EVERY_MS = 1000;

/** Writes down how far a run is, once a second, for whoever looks from any replica. */
export function startReport(
  metadata: Pick<RunMetadata, 'reportRun'>,
  id: number,
): { readonly note: (progress: RunProgress) => void; end(): Promise<void> } {
  let latest: RunProgress = { step: 'starting' };
  let writing: Promise<void> | undefined;
  const timer = setInterval(() => {
    // Not worth an error: the next second brings the next one.
    writing ??= metadata
      .reportRun(id, latest)
      .catch(() => {})
      .finally(() => (writing = undefined));
  }, EVERY_MS);
  return {
    note: (progress) => void (latest = progress),
    async end() {
      clearInterval(timer);
      await writing;
    },
  };
}
