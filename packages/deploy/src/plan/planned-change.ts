import { isDeepStrictEqual } from 'node:util';
import { compareFields, flatten, SENSITIVE, sensitiveTexts } from './fields.ts';
import type { FieldChange, Fields } from './fields.ts';
import { formatObject, isKept, isManifest, manifestIn, objectIn } from './kubernetes-object.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import type { PlanDocument, RawChange, RawResourceChange } from './show-json.ts';

export type Action = 'create' | 'update' | 'replace' | 'delete' | 'forget';

/** What an apply will do to one object, without anything secret. */
export interface PlannedChange {
  /** In the configuration. */
  readonly address: string;
  readonly type: string;
  readonly action: Action;
  /** What people call it: the object of Kubernetes, else the address. */
  readonly label: string;
  readonly object?: KubernetesObject;
  /** Destroying it leaves the object in the cluster. */
  readonly kept: boolean;
  /** What changes of it; of a new or removed object, nothing. */
  readonly fields: readonly FieldChange[];
  /** The objects that keep data: their claims go with them. */
  readonly hasClaims: boolean;
}

export interface PlannedOutput {
  readonly name: string;
  readonly action: Action;
  readonly fields: readonly FieldChange[];
}

export interface PlanSummary {
  readonly changes: readonly PlannedChange[];
  readonly outputs: readonly PlannedOutput[];
  /** Labels of objects that are not as the last apply has left them. */
  readonly changedOutside: readonly string[];
}

export function summarizePlan(plan: PlanDocument): PlanSummary {
  const texts = new Set(
    [...plan.resource_changes.map(({ change }) => change), ...Object.values(plan.output_changes)]
      .flatMap(({ before, after, before_sensitive, after_sensitive }) => [
        ...sensitiveTexts(before, before_sensitive),
        ...sensitiveTexts(after, after_sensitive),
      ])
      .filter((text) => text !== ''),
  );
  return {
    changes: plan.resource_changes.flatMap((change) => plannedChange(change, texts)),
    outputs: Object.entries(plan.output_changes).flatMap(([name, raw]) => {
      const action = actionOf(raw.actions);
      return action === undefined ? [] : [{ name, action, fields: plainFields(raw, texts, name) }];
    }),
    changedOutside: plan.resource_drift
      .filter(({ mode }) => mode === 'managed')
      .map(({ address, type, change }) => labelOf(address, type, change)),
  };
}

/** Whether an apply would do anything at all. */
export function hasChanges({ changes, outputs }: PlanSummary): boolean {
  return changes.length > 0 || outputs.length > 0;
}

function plannedChange(
  { address, mode, type, change }: RawResourceChange,
  texts: ReadonlySet<string>,
): PlannedChange[] {
  const action = actionOf(change.actions);
  if (mode !== 'managed' || action === undefined) return [];
  const object = isManifest(type) ? (objectIn(change.before) ?? objectIn(change.after)) : undefined;
  const fields =
    action === 'update' || action === 'replace' ? changedFields(type, change, texts) : [];
  return [
    {
      address,
      type,
      action,
      label: labelOf(address, type, change),
      ...(object === undefined ? {} : { object }),
      kept: isManifest(type) && isKept(change.before),
      fields,
      hasClaims: hasClaims(isManifest(type) ? manifestIn(change.before) : undefined),
    },
  ];
}

function actionOf(actions: readonly string[]): Action | undefined {
  if (actions.includes('create') && actions.includes('delete')) return 'replace';
  const [action] = actions;
  switch (action) {
    case 'create':
    case 'update':
    case 'delete':
    case 'forget':
      return action;
    default:
      return undefined;
  }
}

/** Of one that is replaced by another name, what it is now: that is what goes. */
function labelOf(address: string, type: string, { before, after }: RawChange): string {
  const object = isManifest(type) ? (objectIn(before) ?? objectIn(after)) : undefined;
  return object === undefined ? address : formatObject(object);
}

function changedFields(
  type: string,
  change: RawChange,
  texts: ReadonlySet<string>,
): readonly FieldChange[] {
  const [before, after] = isManifest(type)
    ? [manifestIn(change.before), manifestIn(change.after)]
    : [undefined, undefined];
  if (before === undefined || after === undefined) return plainFields(change, texts);
  const fields = compareFields(manifestFields(before), manifestFields(after));
  return fields.length > 0 || !isSecret(after) ? fields : masked('data');
}

/** Of a Secret, only that there is something. */
export function manifestFields(manifest: unknown): Fields {
  return flatten(
    manifest,
    isSecret(manifest) ? { sensitive: { data: true, stringData: true } } : {},
  );
}

function isSecret(manifest: unknown): boolean {
  return (manifest as { readonly kind?: unknown } | null)?.kind === 'Secret';
}

function plainFields(
  change: RawChange,
  texts: ReadonlySet<string>,
  name = '',
): readonly FieldChange[] {
  const { before, after, before_sensitive, after_sensitive, after_unknown } = change;
  const fields = compareFields(
    flatten(before, { sensitive: before_sensitive, texts }),
    flatten(after, { sensitive: after_sensitive, unknown: after_unknown, texts }),
  ).map((field) => ({ ...field, path: pathBelow(name, field.path) }));
  return fields.length > 0 || isDeepStrictEqual(before, after) ? fields : masked(name);
}

/** What changes is masked before and after, so it would look the same. */
function masked(path: string): readonly FieldChange[] {
  return [{ path: path === '' ? 'sensitive fields' : path, before: SENSITIVE, after: SENSITIVE }];
}

function pathBelow(name: string, path: string): string {
  return name === '' || path === '' || path.startsWith('[') ? `${name}${path}` : `${name}.${path}`;
}

function hasClaims(manifest: unknown): boolean {
  const { spec } = (manifest ?? {}) as { readonly spec?: { volumeClaimTemplates?: unknown } };
  return Array.isArray(spec?.volumeClaimTemplates) && spec.volumeClaimTemplates.length > 0;
}
