import { holderOf, unlockState } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { openSite } from './deployment.ts';
import type { DeployFlags } from './deployment.ts';

export async function runUnlock(
  context: CliContext,
  flags: OutputFlags & DeployFlags,
  stackName: string,
  id?: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const site = await openSite(context, flags, stackName);
  if (id !== undefined) {
    const holder = await unlockState(site, id);
    output.print(`The lock of ${holder.who} since ${holder.created} is gone.`);
    output.result({ unlocked: true, holder });
    return;
  }
  const holder = await holderOf(site);
  if (holder === undefined) output.print(`The state of ${stackName} is not locked.`);
  else {
    const { who, created, operation } = holder;
    output.print(
      `The state of ${stackName} is locked by ${who} since ${created}, for ${operation}.`,
    );
    output.print('When that run is gone and has left the lock behind:');
    const where = `--environment ${site.environment}`;
    output.print(`./flywheel unlock ${stackName} ${holder.id} ${where}`);
  }
  output.result({ unlocked: false, ...(holder === undefined ? {} : { holder }) });
}
