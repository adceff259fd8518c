import { outputOf } from '@flywheel/testing';
import type { ControlPlane } from '@flywheel/testing';
import { IMAGES } from './images.ts';

export interface PodName {
  readonly namespace: string;
  /** A pod, or what has pods: `deployment/attic-api`. */
  readonly name: string;
}

/** What a connection came to. A packet that a policy drops is not answered. */
export type Outcome = 'open' | 'no answer' | 'refused or unknown';

/** What enforces policies lets a new pod out only when it has seen it. */
const AWAIT_NAMES = `
for try in {1..30}; do
  timeout 1 getent hosts kubernetes.default.svc.cluster.local && exit
done
exit 1
`;

/** A pod in which nothing runs, under the Pod Security Standard `restricted`. */
export async function startProbe(
  cluster: ControlPlane,
  { namespace, name }: PodName,
  labels: Readonly<Record<string, string>> = {},
): Promise<PodName> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'probe',
          image: IMAGES.cache,
          command: ['sleep', 'infinity'],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  };
  outputOf(await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(pod)), `pod ${name}`);
  const ready = ['wait', `pod/${name}`, '-n', namespace, '--for=condition=Ready'];
  outputOf(await cluster.kubectl([...ready, '--timeout=60s']), `pod ${name}`);
  const hasNames = ['exec', '-n', namespace, name, '--', 'bash', '-c', AWAIT_NAMES];
  outputOf(await cluster.kubectl(hasNames), `names in pod ${name}`);
  return { namespace, name };
}

/** All at once: each that is dropped takes its three seconds. */
const SCRIPT = `
reach() {
  timeout 3 bash -c 'exec 3<>"/dev/tcp/\${0%:*}/\${0##*:}"' "$1" 2>/dev/null
  case $? in
    0) echo "$1=open" ;;
    124) echo "$1=no answer" ;;
    *) echo "$1=refused or unknown" ;;
  esac
}
for target in "$@"; do reach "$target" & done
wait
`;

/** From within a pod, what connections to these places (`host:port`) come to. */
export async function reach<Name extends string>(
  cluster: ControlPlane,
  { namespace, name }: PodName,
  targets: Readonly<Record<Name, string>>,
): Promise<Readonly<Record<Name, Outcome>>> {
  const places = Object.entries<string>(targets);
  const shell = ['exec', '-n', namespace, name, '--', 'bash', '-c', SCRIPT, 'reach'];
  const run = await cluster.kubectl([...shell, ...places.map(([, place]) => place)]);
  const outcomes = new Map(
    outputOf(run, `reach from ${name}`)
      .trimEnd()
      .split('\n')
      .map((line) => line.split('=') as [string, Outcome]),
  );
  return Object.fromEntries(
    places.map(([target, place]) => [target, outcomes.get(place)]),
  ) as Record<Name, Outcome>;
}
