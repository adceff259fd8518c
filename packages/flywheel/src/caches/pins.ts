import { formatStorePath, parseStorePath } from '@flywheel/nix';
import { FlywheelError, messageOf } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { listPins, putPin, removePin, type Pin } from './retention-api.ts';

export interface PinAddFlags extends OutputFlags, ServerFlags {
  readonly keepRevisions?: number;
  readonly keepDays?: number;
}

export async function runPinAdd(
  context: CliContext,
  flags: PinAddFlags,
  cache: string,
  name: string,
  path: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const storePath = checkedPath(path);
  const server = await findServer(context, flags);
  const { keepRevisions, keepDays } = flags;
  const pin = { storePath, keepRevisions, keepDays };
  const set = await putPin(server, cache, name, pin, context.signal);
  output.print(`Pinned ${storePath} as revision ${set.revisions[0]?.revision} of ${name}.`);
  output.print(`The pin keeps ${keepText(set)}.`);
  output.result(set);
}

export async function runPinList(
  context: CliContext,
  flags: OutputFlags & ServerFlags,
  cache: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const pins = await listPins(server, cache, context.signal);
  if (pins.length === 0) output.print(`${cache} has no pins.`);
  else output.print(formatTable([HEAD, ...pins.flatMap(rowsOf)]));
  output.result({ cache, pins });
}

export async function runPinRemove(
  context: CliContext,
  flags: OutputFlags & ServerFlags,
  cache: string,
  name: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  await removePin(server, cache, name, context.signal);
  output.print(`Removed the pin ${name}; what it kept goes when nothing else keeps it.`);
  output.result({ cache, removed: name });
}

const HEAD = ['PIN', 'REVISION', 'SET', 'BY', 'PATH'];

function rowsOf(pin: Pin): readonly (readonly string[])[] {
  if (pin.revisions.length === 0) return [[pin.name, 'none left', '', '', '']];
  return pin.revisions.map((revision) => [
    pin.name,
    String(revision.revision),
    new Date(revision.created_at).toISOString(),
    revision.created_by ?? '',
    revision.store_path,
  ]);
}

function keepText({ keep_revisions: revisions, keep_days: days }: Pin): string {
  const parts: string[] = [];
  if (revisions > 0)
    parts.push(revisions === 1 ? 'its newest revision' : `its newest ${revisions}`);
  if (days !== null) parts.push(`those of the last ${days} days`);
  return parts.join(' and ');
}

function checkedPath(text: string): string {
  try {
    return formatStorePath(parseStorePath(text));
  } catch (cause) {
    throw new FlywheelError('invalid-input', messageOf(cause), {
      cause,
      details: {
        hint: 'Give the path itself: $(nix build --print-out-paths), or readlink result.',
      },
    });
  }
}
