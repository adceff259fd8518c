import { FlywheelError } from '@flywheel/base';
import type { Stack } from './stack.ts';

/**
 * All stacks, each behind those that it needs, else by name. Throws `invalid-input` for one that is
 * not there and for a circle.
 */
export function orderStacks(stacks: readonly Stack[]): readonly Stack[] {
  const byName = new Map(stacks.map((stack) => [stack.name, stack]));
  const ordered = new Set<Stack>();
  const visit = (stack: Stack, path: readonly string[]): void => {
    if (ordered.has(stack)) return;
    if (path.includes(stack.name)) {
      const circle = [...path.slice(path.indexOf(stack.name)), stack.name].join(' → ');
      throw new FlywheelError('invalid-input', `stacks wait for each other: ${circle}`);
    }
    for (const name of stack.after.toSorted()) {
      const before = byName.get(name);
      if (before === undefined) {
        throw new FlywheelError(
          'invalid-input',
          `stack ${stack.name} comes after "${name}", which is not there`,
          { details: { hint: `There are: ${[...byName.keys()].join(', ')}.` } },
        );
      }
      visit(before, [...path, stack.name]);
    }
    ordered.add(stack);
  };
  for (const stack of stacks.toSorted((a, b) => a.name.localeCompare(b.name))) visit(stack, []);
  return [...ordered];
}

/** The stack of a name. Throws `not-found` with the names that there are. */
export function findStack(stacks: readonly Stack[], name: string): Stack {
  const found = stacks.find((stack) => stack.name === name);
  if (found !== undefined) return found;
  throw new FlywheelError('not-found', `there is no stack "${name}"`, {
    details: { hint: `There are: ${stacks.map((stack) => stack.name).join(', ')}.` },
  });
}
