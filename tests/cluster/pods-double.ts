import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '@flywheel/testing';

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly status?: { readonly phase?: string };
}

const READY = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
};

/** Stands in for a node that runs nothing: pods of Jobs succeed, all others are ready, at once. */
export function playPods(plane: ControlPlane, namespace: string): AsyncDisposable {
  const stop = new AbortController();
  const playing = play(plane, namespace, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await playing;
    },
  };
}

async function play(plane: ControlPlane, namespace: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const listed = await plane.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']);
    const { items } = JSON.parse(listed.stdout) as { readonly items: readonly Pod[] };
    for (const { metadata } of items.filter(isPending)) {
      const ofJob = metadata.ownerReferences?.[0]?.kind === 'Job';
      const patch = JSON.stringify({ status: ofJob ? { phase: 'Succeeded' } : READY });
      const pod = ['pod', metadata.name, '-n', namespace];
      await plane.kubectl(['patch', ...pod, '--subresource=status', '-p', patch]);
    }
    await sleep(500);
  }
}

function isPending({ status }: Pod): boolean {
  return status?.phase === 'Pending';
}
