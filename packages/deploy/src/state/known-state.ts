// What this machine last saw of a state. A state that is suddenly empty, or another one, is more often
// an accident of the backend than meant, and a plan over it makes everything anew.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FlywheelError, isFlywheelError, toFlywheelError } from '@flywheel/base';
import { z } from 'zod';
import type { StateVersion } from './read-state.ts';

const knownState = z.object({
  lineage: z.string(),
  serial: z.number(),
  objects: z.number().optional(),
});

export type KnownState = z.infer<typeof knownState>;

export async function readKnownState(file: string): Promise<KnownState | undefined> {
  try {
    return knownState.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (isFlywheelError(toFlywheelError(error), 'not-found')) return undefined;
    throw new FlywheelError('corrupt', `${file} is not readable`, {
      cause: error,
      details: {
        hint: 'It only remembers which state there was. Look at the state, then remove it.',
      },
    });
  }
}

export async function writeKnownState(file: string, state: StateVersion): Promise<void> {
  const { lineage, serial, objects } = state;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify({ lineage, serial, objects }));
  await rename(`${file}.new`, file);
}

/**
 * Why nothing may be done with the state as it is now: it is not the one that was known, or a part of
 * it is missing. Undefined when all is well.
 */
export function stateProblem(
  name: string,
  state: StateVersion | undefined,
  known: KnownState | undefined,
): FlywheelError | undefined {
  if (known === undefined) return undefined;
  const { lineage, serial, objects } = known;
  const count = objects === 1 ? '1 object' : `${objects} objects`;
  const had = objects === undefined ? `serial ${serial}` : `${count}, serial ${serial}`;
  const isEmpty = state === undefined || state.objects === 0;
  if (isEmpty && objects !== 0) {
    return problem(`the state ${name} is empty, and the last known one was not (${had})`);
  }
  if (state === undefined) return undefined;
  if (state.lineage !== lineage) {
    return problem(`the state ${name} is another than the last known one (${had})`);
  }
  if (state.serial < serial) {
    return problem(
      `the state ${name} is older, serial ${state.serial}, than the last known (${had})`,
    );
  }
  return undefined;
}

function problem(message: string): FlywheelError {
  return new FlywheelError('conflict', message, {
    details: {
      hint:
        'Nothing was changed. GitLab keeps earlier versions of a state: Operate > Terraform states.\n' +
        'If it is right as it is now: --accept-state.',
    },
  });
}
