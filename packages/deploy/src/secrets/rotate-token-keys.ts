import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import type { NeededSecret, Values } from './needed-secrets.ts';
import type { Rotation } from './rotation.ts';
import { readSecret, writeSecret } from './secret-store.ts';
import type { StoredSecret } from './secret-store.ts';

export interface RotatedKeys {
  /** The entry that signs now. */
  readonly signs: string;
  /** The others, which verify what they have signed. */
  readonly verify: readonly string[];
}

/** A key with this ending verifies and does not sign. */
const VERIFY_ONLY = '.verify';
/** Keys that flywheel has made say when, in UTC. */
const MADE = /^key-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[\w-]+\.jwk$/;

/**
 * Gives the cache a new key for tokens. It first only verifies, until every replica has it; a Secret
 * takes up to two minutes. Then it signs. Nothing restarts, and a token of any key is good at any
 * time. When it was interrupted, the next call goes on where it was.
 */
export async function rotateTokenKeys(rotation: Rotation, waitMs: number): Promise<RotatedKeys> {
  const { cluster, secret, make, now, onStep } = rotation;
  let stored = await ownSecret(rotation);
  let waiting = pendingKey(stored.values);
  if (waiting === undefined) {
    const { entry, text } = make.tokenKey();
    waiting = `${entry}${VERIFY_ONLY}`;
    onStep(`Adding ${entry}, which verifies and does not sign yet`);
    await writeSecret(cluster, secret, { ...stored.values, [waiting]: text }, stored);
  }
  const leftMs = madeAtMs(waiting) + waitMs - now();
  if (leftMs > 0) {
    onStep(`Waiting ${Math.ceil(leftMs / 1000)} s until every replica has it`);
    await sleep(leftMs, undefined, rotation.signal ? { signal: rotation.signal } : {});
  }
  stored = await ownSecret(rotation);
  const { [waiting]: text, ...others } = stored.values;
  if (text === undefined) throw conflict(secret, `${waiting} has gone meanwhile`);
  const signs = waiting.slice(0, -VERIFY_ONLY.length);
  onStep(`Letting ${signs} sign`);
  await writeSecret(cluster, secret, { ...others, [signs]: text }, stored);
  return { signs, verify: Object.keys(others).toSorted() };
}

/** Removes a key; what it has signed is worthless then. Throws `not-found`, `conflict`. */
export async function removeTokenKey(rotation: Rotation, entry: string): Promise<void> {
  const { cluster, secret } = rotation;
  const stored = await ownSecret(rotation);
  const { [entry]: removed, ...others } = stored.values;
  if (removed === undefined) {
    throw new FlywheelError('not-found', `Secret ${secret.name} has no key ${entry}`, {
      details: { hint: `There are: ${Object.keys(stored.values).toSorted().join(', ')}.` },
    });
  }
  if (!Object.keys(others).some((name) => !name.endsWith(VERIFY_ONLY))) {
    throw conflict(secret, `${entry} is the only key that signs`);
  }
  await writeSecret(cluster, secret, others, stored);
}

/** The last key that a rotation has added and not let sign yet. */
function pendingKey(values: Values): string | undefined {
  const names = Object.keys(values).toSorted();
  const signs = names.findLast((name) => !name.endsWith(VERIFY_ONLY)) ?? '';
  return names.findLast(
    (name) =>
      name > signs && name.endsWith(VERIFY_ONLY) && MADE.test(name.slice(0, -VERIFY_ONLY.length)),
  );
}

function madeAtMs(entry: string): number {
  const parts = MADE.exec(entry.replace(VERIFY_ONLY, ''))?.slice(1).map(Number) ?? [];
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

async function ownSecret({ cluster, secret }: Rotation): Promise<StoredSecret> {
  return requireOwn(secret, await readSecret(cluster, secret));
}

/** Throws `not-found` or `conflict` unless flywheel has written the Secret. */
export function requireOwn(secret: NeededSecret, stored: StoredSecret | undefined): StoredSecret {
  if (stored === undefined) {
    throw new FlywheelError('not-found', `there is no Secret ${secret.namespace}/${secret.name}`, {
      details: { hint: 'Make it first: ./flywheel secrets sync' },
    });
  }
  if (stored.ours) return stored;
  throw new FlywheelError(
    'conflict',
    `Secret ${secret.namespace}/${secret.name} belongs to ${stored.keeper}`,
    { details: { hint: 'It is never changed here: rotate it where it is kept.' } },
  );
}

function conflict(secret: NeededSecret, reason: string): FlywheelError {
  return new FlywheelError('conflict', `Secret ${secret.name}: ${reason}`, {
    details: { hint: './flywheel secrets list shows its entries.' },
  });
}
