import { FlywheelError } from '@flywheel/base';
import { findStack } from '@flywheel/deploy';
import type { Stack } from '@flywheel/deploy';

/** The stack of a name, or all. Throws `invalid-input` unless it is just one of the two. */
export function chooseStacks(
  stacks: readonly Stack[],
  name: string | undefined,
  all: boolean,
): readonly Stack[] {
  if (all && name === undefined) return stacks;
  if (!all && name !== undefined) return [findStack(stacks, name)];
  throw new FlywheelError('invalid-input', 'name one stack, or say --all', {
    details: { hint: `There are: ${stacks.map((stack) => stack.name).join(', ')}.` },
  });
}
