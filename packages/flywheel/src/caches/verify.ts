import { formatBytes } from '@flywheel/base';
import { z } from 'zod';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { requestRun } from './run-api.ts';
import { waitForRun } from './wait-for-run.ts';

export interface VerifyFlags extends OutputFlags, ServerFlags {
  readonly deep?: boolean;
  /** Bytes a second. */
  readonly rate?: number;
  readonly removeUnknown?: boolean;
  readonly wait?: boolean;
}

const Result = z.object({
  deep: z.boolean(),
  packs: z.number(),
  bytes: z.number(),
  nars: z.number(),
  damaged_packs: z.number(),
  damaged_nars: z.number(),
  faults: z.array(
    z.object({
      pack: z.string().optional(),
      nar: z.string().optional(),
      fault: z.string(),
      nars: z.number(),
    }),
  ),
  unknown: z.object({
    blobs: z.number(),
    bytes: z.number(),
    removed: z.number(),
    examples: z.array(z.string()),
    kept_because: z.string().optional(),
  }),
});

type Result = z.infer<typeof Result>;

/** Asks the server to check what it stores. Found damage sets the exit code, where it is waited for. */
export async function runCacheVerify(context: CliContext, flags: VerifyFlags): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const options = {
    deep: flags.deep === true,
    rate: flags.rate,
    remove_unknown: flags.removeUnknown === true,
  };
  const asked = await requestRun(server, 'scrub', options, context.signal);
  if (flags.wait !== true) {
    output.print(
      `Asked for run ${asked.id}. The server's log says what it finds; --wait waits for it.`,
    );
    output.result(asked);
    return;
  }
  const run = await waitForRun(output, server, asked, context.signal);
  const result = Result.parse(run.result);
  describeResult(output, result);
  output.result(run);
  if (result.faults.length > 0) context.process.exitCode = EXIT_FAILED;
}

function missingNars(count: number): string {
  return count === 1 ? '1 NAR is missing' : `${count} NARs are missing`;
}

function describeResult(output: Output, result: Result): void {
  const nars = result.deep ? ` and ${result.nars} NARs` : '';
  output.print(`Checked ${result.packs} packs (${formatBytes(result.bytes)})${nars}.`);
  for (const { pack, nar, fault, nars: missing } of result.faults) {
    const what = pack === undefined ? `NAR ${nar}` : `pack ${pack}`;
    output.print(`${output.style('red', '✘')} ${what} ${fault}: ${missingNars(missing)} now`);
  }
  if (result.faults.length === 0) output.print('All of it is intact.');
  else {
    output.note(`${missingNars(result.damaged_nars)} until pushed again.`);
  }
  const { unknown } = result;
  if (unknown.blobs === 0) return;
  const size = formatBytes(unknown.bytes);
  output.print(
    unknown.removed > 0
      ? `Removed ${unknown.removed} packs (${size}) that the database does not know.`
      : `${unknown.blobs} packs (${size}) are not known to the database; --remove-unknown removes them.`,
  );
  for (const key of unknown.examples) output.print(`    ${key}`);
  if (unknown.kept_because !== undefined) output.note(`None was removed: ${unknown.kept_because}`);
}
