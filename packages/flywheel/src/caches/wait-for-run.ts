import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import type { Output, Progress } from '../output/index.ts';
import type { Server } from './find-server.ts';
import { readRun, type Run } from './run-api.ts';

const LOOK_EVERY_MS = 500;

/** Shows how far a run is until it has ended. Throws `unavailable` when it failed. */
export async function waitForRun(
  output: Output,
  server: Server,
  asked: Run,
  signal: AbortSignal,
): Promise<Run> {
  let run = asked;
  let shown: { readonly step: string; readonly bar: Progress; done: number } | undefined;
  try {
    while (run.state === 'waiting' || run.state === 'running') {
      const { step = 'waiting', done = 0, of } = run.progress ?? {};
      if (shown?.step !== step) {
        shown?.bar.finish();
        const bar = output.step(step, {
          unit: 'items',
          ...(of === undefined ? {} : { total: of }),
        });
        shown = { step, bar, done: 0 };
      }
      shown.bar.advance(done - shown.done);
      shown.done = done;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
      run = await readRun(server, run.id, signal);
    }
    shown?.bar.finish();
  } finally {
    shown?.bar[Symbol.dispose]();
  }
  if (run.state === 'done') return run;
  throw new FlywheelError('unavailable', `run ${run.id} failed: ${run.error}`, {
    details: { hint: "The server's log has more. What it had done stays done; ask again." },
  });
}
