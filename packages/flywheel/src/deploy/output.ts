import { FlywheelError } from '@flywheel/base';
import { openStack, stateOutputs } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { openSite } from './deployment.ts';
import type { DeployFlags } from './deployment.ts';

export async function runOutput(
  context: CliContext,
  flags: OutputFlags & DeployFlags,
  stackName: string,
  name?: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const outputs = await stateOutputs(await openStack(await openSite(context, flags, stackName)));
  if (name === undefined) {
    output.print(formatTable(outputs.map((one) => [one.name, shown(one)])));
    output.result(outputs);
    return;
  }
  const wanted = outputs.find((one) => one.name === name);
  if (wanted === undefined) {
    throw new FlywheelError('not-found', `${stackName} has no output "${name}"`, {
      details: { hint: `There are: ${outputs.map((one) => one.name).join(', ') || 'none'}.` },
    });
  }
  output.print(shown(wanted));
  output.result(wanted);
}

function shown({ sensitive, value }: { readonly sensitive: boolean; readonly value?: unknown }) {
  if (sensitive) return '(sensitive value)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
