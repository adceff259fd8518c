import type { KubernetesClient } from '../cluster/client.ts';
import type { NeededSecret, SecretMaker } from './needed-secrets.ts';

/** What a rotation works with. */
export interface Rotation {
  readonly cluster: KubernetesClient;
  readonly secret: NeededSecret;
  readonly make: SecretMaker;
  readonly now: () => number;
  /** How long new pods, Jobs and the database may take. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Told before each step, in words for people. */
  readonly onStep: (step: string) => void;
}
