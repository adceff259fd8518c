// What cannot be made again when it is destroyed: the data in it would be lost.
import { FlywheelError } from '@flywheel/base';
import type { PlannedChange } from './planned-change.ts';

const KINDS: ReadonlySet<string> = new Set([
  'Namespace',
  'PersistentVolume',
  'PersistentVolumeClaim',
  // With a definition go all objects of its kind.
  'CustomResourceDefinition',
]);

/** Whether a change loses data, or may. */
export function losesData({ action, kept, object, type, hasClaims }: PlannedChange): boolean {
  if ((action !== 'delete' && action !== 'replace') || kept) return false;
  if (object === undefined) return /(?:^|_)bucket$/.test(type);
  const isDatabase =
    object.kind === 'Cluster' && object.apiVersion.startsWith('postgresql.cnpg.io/');
  const isBucket = object.kind === 'Bucket';
  return KINDS.has(object.kind) || isDatabase || isBucket || hasClaims;
}

/** What is destroyed and has to be named for it, by its label. */
export function unnamedLosses(
  changes: readonly PlannedChange[],
  allowed: readonly string[],
): readonly string[] {
  return changes
    .filter((change) => losesData(change) && !allowed.includes(change.label))
    .map(({ label }) => label);
}

/** Throws `forbidden` when something would be lost that nobody has named. */
export function requireNames(
  stack: string,
  changes: readonly PlannedChange[],
  allowed: readonly string[],
): void {
  const unnamed = unnamedLosses(changes, allowed);
  if (unnamed.length === 0) return;
  throw new FlywheelError(
    'forbidden',
    `${stack} would destroy what holds data: ${unnamed.join(', ')}`,
    {
      details: {
        hint:
          `Nothing was changed. If it is meant, name each:\n` +
          unnamed.map((label) => `--allow-destroy ${label}`).join(' '),
      },
    },
  );
}
