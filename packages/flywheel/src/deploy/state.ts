import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import { openStack, pullState, stateObjects } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { openSite } from './deployment.ts';
import type { DeployFlags } from './deployment.ts';

type StateFlags = OutputFlags & DeployFlags;

async function open(context: CliContext, flags: StateFlags, name: string) {
  return openStack(await openSite(context, flags, name));
}

export async function runStateList(
  context: CliContext,
  flags: StateFlags,
  stack: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const opened = await open(context, flags, stack);
  const objects = (await stateObjects(opened)).map(({ address, type, label }) => ({
    address,
    type,
    label,
  }));
  if (objects.length === 0) output.print(`The state of ${stack} is empty.`);
  else output.print(formatTable(objects.map(({ label, address }) => [label, address])));
  output.result({ serial: opened.state?.serial, lineage: opened.state?.lineage, objects });
}

export async function runStateShow(
  context: CliContext,
  flags: StateFlags,
  stack: string,
  name: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const objects = await stateObjects(await open(context, flags, stack));
  const found = objects.find(({ address, label }) => address === name || label === name);
  if (found === undefined) {
    throw new FlywheelError('not-found', `the state of ${stack} has no "${name}"`, {
      details: { hint: `What there is: ./flywheel state list ${stack}` },
    });
  }
  output.print(output.style('bold', found.label));
  output.print(formatTable(Object.entries(found.fields)));
  output.result(found);
}

export async function runStatePull(
  context: CliContext,
  flags: StateFlags & { readonly out: string },
  stack: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const state = await pullState(await open(context, flags, stack));
  const file = resolve(context.cwd, flags.out);
  await writeFile(file, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600, flag: 'wx' }).catch(
    (error: unknown) => {
      throw toFlywheelError(error, `write ${flags.out}`);
    },
  );
  output.print(`Written: ${flags.out}. It may hold secrets: only you can read it.`);
  output.result({ file });
}
