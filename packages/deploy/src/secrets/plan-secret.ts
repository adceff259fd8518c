import { variableOf } from './given-values.ts';
import type { NeededSecret, SecretMaker, Values } from './needed-secrets.ts';
import type { StoredSecret } from './secret-store.ts';

/** Where an entry comes from; `missing` where nobody has said it. */
export type EntryOrigin = 'there' | 'generated' | 'given' | 'missing';

export interface PlannedEntry {
  readonly key: string;
  readonly origin: EntryOrigin;
  /** The variable that would give what is missing. */
  readonly variable?: string;
}

/**
 * - `complete`: everything is there, nothing is written.
 * - `make`, `change`: it is written.
 * - `foreign`: somebody else keeps it, completely; nothing is ever written.
 * - `incomplete`: something is missing that cannot be made, or whose owner has to add it.
 */
export type SecretState = 'complete' | 'make' | 'change' | 'foreign' | 'incomplete';

/** What becomes of one Secret. `values` is all that flywheel keeps in it, for `make` and `change`. */
export interface SecretPlan {
  readonly needed: NeededSecret;
  readonly state: SecretState;
  readonly entries: readonly PlannedEntry[];
  readonly values: Values;
  readonly stored?: StoredSecret;
}

/**
 * Compares what is needed with what is there and what is given. What is given wins over what flywheel
 * wrote itself; what belongs to somebody else stays as it is.
 */
export function planSecret(
  needed: NeededSecret,
  stored: StoredSecret | undefined,
  given: Values,
  make: SecretMaker,
): SecretPlan {
  const there = stored?.values ?? {};
  const base = { needed, ...(stored === undefined ? {} : { stored }) };
  if (stored !== undefined && !stored.ours) {
    const entries = entriesOf(needed, there, {}, there);
    const state = entries.some(isMissing) ? 'incomplete' : 'foreign';
    return { ...base, state, entries, values: {} };
  }
  const known = { ...there, ...given };
  const values = needed.fill?.(known, make) ?? pick(known, needed.keys);
  const entries = entriesOf(needed, there, given, values);
  if (entries.some(isMissing)) return { ...base, state: 'incomplete', entries, values: {} };
  if (stored === undefined) return { ...base, state: 'make', entries, values };
  const changed = Object.entries(values).some(([key, value]) => there[key] !== value);
  return { ...base, state: changed ? 'change' : 'complete', entries, values };
}

function entriesOf(
  needed: NeededSecret,
  there: Values,
  given: Values,
  values: Values,
): readonly PlannedEntry[] {
  const keys = needed.keys.length > 0 ? needed.keys : Object.keys(values).toSorted();
  // Any entry would do, and there is none.
  if (keys.length === 0) return [{ key: '(any)', origin: 'missing' }];
  return keys.map((key): PlannedEntry => {
    const value = values[key] ?? '';
    if (value === '') return { key, origin: 'missing', variable: variableOf(needed, key) };
    if (there[key] === value) return { key, origin: 'there' };
    return { key, origin: given[key] === value ? 'given' : 'generated' };
  });
}

function isMissing({ origin }: PlannedEntry): boolean {
  return origin === 'missing';
}

function pick(values: Values, keys: readonly string[]): Values {
  return Object.fromEntries(
    keys.flatMap((key) => (values[key] === undefined ? [] : [[key, values[key]]])),
  );
}
