import { diffOrganizations, formatPosition } from '@flywheel/organization';
import type { Change, Merged } from '@flywheel/organization';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { readOrganization, validOrganization } from './read-organization.ts';
import type { FileFlags } from './read-organization.ts';

export async function runConfigDiff(
  context: CliContext,
  flags: OutputFlags & FileFlags,
  first: string,
  second: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const before = await readEither(context, flags, first);
  const after = await readEither(context, flags, second);
  const changes = diffOrganizations(before, after);
  for (const change of changes) output.print(formatChange(change));
  if (changes.length === 0) output.print(`${first} and ${second} say the same.`);
  output.result({ changes });
}

/** What looks like a file is one, and anything else an environment of organization.yaml. */
async function readEither(context: CliContext, flags: FileFlags, name: string): Promise<Merged> {
  const isFile = /\.ya?ml$|\//.test(name);
  if (!isFile) return validOrganization(await readOrganization(context, flags), name);
  return validOrganization(await readOrganization(context, { ...flags, file: name }));
}

function formatChange({ key, before, after, position }: Change): string {
  const where = position === undefined ? '' : `  (${formatPosition(position)})`;
  if (before === undefined) return `+ ${key}: ${JSON.stringify(after)}${where}`;
  if (after === undefined) return `- ${key}: ${JSON.stringify(before)}${where}`;
  return `~ ${key}: ${JSON.stringify(before)} → ${JSON.stringify(after)}${where}`;
}
