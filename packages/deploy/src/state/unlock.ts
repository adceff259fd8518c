import { randomUUID } from 'node:crypto';
import { FlywheelError } from '@flywheel/base';
import { openStack } from '../stacks/open-stack.ts';
import type { StackSite } from '../stacks/open-stack.ts';
import { runTofu } from '../tofu/run-tofu.ts';
import { lockHolder } from './lock.ts';
import type { LockHolder } from './lock.ts';

/** Who holds the lock of a stack's state; undefined when nobody does. */
export async function holderOf({ backend }: StackSite): Promise<LockHolder | undefined> {
  return lockHolder(backend, randomUUID());
}

/**
 * Takes a lock away from a run that is gone. Throws `conflict` when another run holds it by now, and
 * `not-found` when nobody does.
 */
export async function unlockState(site: StackSite, id: string): Promise<LockHolder> {
  const { name } = site.stack;
  const holder = await holderOf(site);
  if (holder === undefined) {
    throw new FlywheelError('not-found', `the state of ${name} is not locked`);
  }
  if (holder.id !== id) {
    throw new FlywheelError('conflict', `the lock of ${name} is not ${id}`, {
      details: {
        holder,
        hint: `It is ${holder.id}, of ${holder.who} since ${holder.created}, for ${holder.operation}.`,
      },
    });
  }
  const { tofu } = await openStack(site);
  await runTofu(tofu, ['force-unlock', '-force', id]);
  return holder;
}
