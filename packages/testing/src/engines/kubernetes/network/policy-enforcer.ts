import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import { runChild } from '../../child.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { Place } from '../place.ts';
import type { Namespace, NetworkPolicy, Pod } from './objects.ts';
import { policyRules } from './policy-rules.ts';

/** How long a new pod or policy at most goes unseen. */
const INTERVAL_MS = 300;

/**
 * Stands in for the part of a network plugin that enforces policies: reads them with pods and
 * namespaces, and keeps the packet filter of the place so. Returns when it holds; what still
 * goes wrong at the end is thrown when it is disposed of.
 */
export async function enforcePolicies(
  plane: ControlPlane,
  place: Place,
  podRange: string,
): Promise<AsyncDisposable> {
  // From the memory of the API server: as new as what its watchers see.
  const list = async <T>(path: string): Promise<readonly T[]> =>
    ((await plane.get(`${path}?resourceVersion=0`)) as { readonly items: readonly T[] }).items;

  let applied = '';
  const enforce = async (): Promise<void> => {
    const [policies, pods, namespaces] = await Promise.all([
      list<NetworkPolicy>('/apis/networking.k8s.io/v1/networkpolicies'),
      list<Pod>('/api/v1/pods'),
      list<Namespace>('/api/v1/namespaces'),
    ]);
    const rules = policyRules({ policies, pods, namespaces }, podRange);
    if (rules === applied) return;
    const command = place.command(['/usr/sbin/iptables-restore', '--wait']);
    const { status, stderr } = await runChild(command, {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      input: rules,
    });
    if (status !== 0) throw new FlywheelError('internal', `iptables-restore: ${stderr}\n${rules}`);
    applied = rules;
  };

  await enforce();
  const stop = new AbortController();
  let failure: unknown;
  const enforcing = (async () => {
    while (!stop.signal.aborted) {
      // An API server that is busy for once answers the next time.
      failure = await enforce().then(
        () => undefined,
        (error: unknown) => error,
      );
      await sleep(INTERVAL_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await enforcing;
      if (failure !== undefined) throw failure;
    },
  };
}
