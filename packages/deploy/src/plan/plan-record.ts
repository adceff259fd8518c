// What a saved plan was made of. An apply makes the same anew and compares: the plan is taken when
// nothing has changed, and refused, with what has, when something did.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { FlywheelError, isFlywheelError, toFlywheelError } from '@flywheel/base';
import { z } from 'zod';
import { sha256 } from '../stacks/working-copy.ts';

const ingredients = z.object({
  environment: z.string(),
  stack: z.string(),
  /** Where the state is. */
  backend: z.string(),
  /** SHA-256 of every file that tofu reads, by path: stack, modules, organization, manifests, providers. */
  files: z.record(z.string(), z.string()),
  /** Missing when there was none yet. */
  state: z.object({ lineage: z.string(), serial: z.number() }).optional(),
});

/** All that decides what a plan does. */
export type Ingredients = z.infer<typeof ingredients>;

const planRecord = z.object({
  version: z.literal(1),
  destroy: z.boolean(),
  ingredients,
  /** SHA-256 of the saved plan. */
  plan: z.string(),
  /** SHA-256 over all of the above. */
  digest: z.string(),
});

export type PlanRecord = z.infer<typeof planRecord>;

export function recordPlan(made: Ingredients, plan: Uint8Array, destroy: boolean): PlanRecord {
  const record = { version: 1 as const, destroy, ingredients: made, plan: sha256(plan) };
  return { ...record, digest: digestOf(record) };
}

/** The digest goes over one order of keys, whoever wrote the file. */
function digestOf({ destroy, ingredients: made, plan }: Omit<PlanRecord, 'digest'>): string {
  const files = Object.entries(made.files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { environment, stack, backend, state } = made;
  return sha256(
    JSON.stringify([
      destroy,
      plan,
      environment,
      stack,
      backend,
      files,
      state?.lineage ?? '',
      state?.serial ?? 0,
    ]),
  );
}

export async function writePlanRecord(file: string, record: PlanRecord): Promise<void> {
  await writeFile(file, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
}

/** Throws `not-found` when nothing was planned. */
export async function readPlanRecord(file: string, stack: string): Promise<PlanRecord> {
  try {
    return planRecord.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (!isFlywheelError(toFlywheelError(error), 'not-found')) {
      throw refused(stack, [`${file} is not readable`]);
    }
    throw new FlywheelError('not-found', `there is no plan of ${stack} to apply`, {
      details: { hint: `Make one, read it, then apply it: ./flywheel plan ${stack}` },
    });
  }
}

export async function removePlan(...files: readonly string[]): Promise<void> {
  await Promise.all(files.map((file) => rm(file, { force: true })));
}

/** Throws `conflict` unless the plan is the recorded one and would be made again exactly so. */
export function requireUnchanged(record: PlanRecord, plan: Uint8Array, now: Ingredients): void {
  const was = record.ingredients;
  const changed = [
    ...(digestOf(record) === record.digest ? [] : ['the record of the plan was edited']),
    ...(sha256(plan) === record.plan ? [] : ['the saved plan is another file']),
    ...(was.environment === now.environment && was.stack === now.stack
      ? []
      : [`it is for ${was.stack} in ${was.environment}`]),
    ...(was.backend === now.backend ? [] : [`the state was ${was.backend}, now ${now.backend}`]),
    ...stateChange(was.state, now.state),
    ...changedFiles(was.files, now.files),
  ];
  if (changed.length > 0) throw refused(now.stack, changed);
}

function stateChange(was: Ingredients['state'], now: Ingredients['state']): readonly string[] {
  if (was?.lineage === now?.lineage && was?.serial === now?.serial) return [];
  if (now === undefined) return ['the state is gone'];
  if (was === undefined) return [`there is a state now, serial ${now.serial}`];
  return was.lineage === now.lineage
    ? [`the state was written: serial ${was.serial} → ${now.serial}`]
    : ['the state is another one'];
}

function changedFiles(
  was: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  const paths = [...new Set([...Object.keys(was), ...Object.keys(now)])].toSorted();
  return paths.flatMap((path) => {
    if (was[path] === now[path]) return [];
    if (was[path] === undefined) return [`${path} is new`];
    return [now[path] === undefined ? `${path} is gone` : `${path} has changed`];
  });
}

function refused(stack: string, changed: readonly string[]): FlywheelError {
  return new FlywheelError('conflict', `the plan of ${stack} is not what would be applied now`, {
    details: {
      changed,
      hint: `${changed.join('\n')}\nNothing was changed. Plan again: ./flywheel plan ${stack}`,
    },
  });
}
