import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import type { KubernetesObject } from '../cluster/client.ts';
import type { Rotation } from './rotation.ts';

// The Job of the module `minio` makes users from Secrets. It is done; a copy of its pod does it again
// for other credentials, or takes a user away, with the same rights and network as the first.

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly [field: string]: unknown;
}

interface JobObject extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly Container[];
        readonly [field: string]: unknown;
      };
    };
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** What the copy does otherwise. */
export interface SetupChange {
  /** Reads this Secret where the first reads that of the rotation. */
  readonly secret?: string;
  /** Removes the user of this access key, and does nothing else. */
  readonly removeUser?: string;
}

const COMPONENT = 'app.kubernetes.io/component';
const POLL_MS = 1000;

/** The administrator's alias as in the Job's own script, then the user. What is gone may be gone. */
const REMOVE_USER = `set -eu
IFS= read -r user <"$SECRETS/root/user" || [ -n "$user" ]
IFS= read -r password <"$SECRETS/root/password" || [ -n "$password" ]
printf '%s\\n%s\\n' "$user" "$password" | mc alias set minio "$MINIO_URL" >/dev/null
if mc admin user info minio "$RETIRED_USER" >/dev/null 2>&1; then
  mc admin user remove minio "$RETIRED_USER"
fi
`;

/** The Job that has made the users, of which the newest counts. Throws `not-found`. */
export async function findSetupJob(rotation: Rotation): Promise<KubernetesObject> {
  const { cluster, secret } = rotation;
  const jobs = await cluster.list<JobObject>(`/apis/batch/v1/namespaces/${secret.namespace}/jobs`);
  const fitting = jobs
    .filter(({ spec }) => spec.template.metadata?.labels?.[COMPONENT] === 'setup')
    .filter(({ spec }) => namesSecret(spec.template.spec, secret.name))
    .toSorted((a, b) => createdAt(a).localeCompare(createdAt(b)));
  const newest = fitting.at(-1);
  if (newest !== undefined) return newest;
  throw new FlywheelError('not-found', 'there is no Job that makes the users of MinIO', {
    details: {
      hint: `Deploy the object store first; Jobs with the label ${COMPONENT}=setup were looked for in ${secret.namespace}.`,
    },
  });
}

/** Runs a changed copy of the Job to its end, and removes it. Throws `unavailable` when it fails. */
export async function runSetupAgain(
  rotation: Rotation,
  job: KubernetesObject,
  change: SetupChange,
): Promise<void> {
  const { cluster, secret, make, signal } = rotation;
  const name = `${secret.name.slice(0, 40)}-rotate-${make.random(6).toLowerCase()}`;
  const base = `/apis/batch/v1/namespaces/${secret.namespace}/jobs`;
  await cluster.create(base, copyOf(job as JobObject, name, secret.name, change));
  const untilMs = rotation.now() + rotation.timeoutMs;
  for (;;) {
    const current = await cluster.get<JobObject>(`${base}/${name}`);
    const ended = current?.status?.conditions?.find(
      ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
    );
    if (ended?.type === 'Complete') break;
    if (ended !== undefined || rotation.now() > untilMs) throw failed(rotation, name);
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
  await cluster.remove(`${base}/${name}`);
}

function copyOf(job: JobObject, name: string, from: string, change: SetupChange): unknown {
  const { labels = {} } = job.spec.template.metadata ?? {};
  // Those with a domain of Kubernetes name the first Job's pods.
  const own = Object.entries(labels).filter(
    ([label]) => !/^(?:batch\.kubernetes\.io\/|controller-uid$|job-name$)/.test(label),
  );
  const spec =
    change.secret === undefined
      ? job.spec.template.spec
      : renamed(job.spec.template.spec, from, change.secret);
  const { containers, ...rest } = spec as JobObject['spec']['template']['spec'];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'flywheel' } },
    spec: {
      backoffLimit: 4,
      activeDeadlineSeconds: 600,
      ttlSecondsAfterFinished: 3600,
      template: {
        metadata: { labels: Object.fromEntries(own) },
        spec: {
          ...rest,
          containers: containers.map((container) =>
            change.removeUser === undefined ? container : removing(container, change.removeUser),
          ),
        },
      },
    },
  };
}

/** An access key is a name, no secret. */
function removing(container: Container, user: string): Container {
  const env = [...(container.env ?? []), { name: 'RETIRED_USER', value: user }];
  return { ...container, command: ['/bin/sh', '-c', REMOVE_USER], env };
}

/** The same with another Secret in every source of a volume that names it. */
function renamed(value: unknown, from: string, to: string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, from, to));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]: [string, unknown]) => {
    if (key === 'secret' && Object(inner).name === from)
      return [key, { ...(inner as object), name: to }];
    return [key, renamed(inner, from, to)];
  });
  return Object.fromEntries(entries);
}

function namesSecret(value: unknown, secret: string): boolean {
  return JSON.stringify(renamed(value, secret, `${secret}.`)) !== JSON.stringify(value);
}

function createdAt({ metadata }: KubernetesObject): string {
  return metadata.creationTimestamp ?? '';
}

function failed({ cluster, secret }: Rotation, job: string): FlywheelError {
  return new FlywheelError('unavailable', `Job ${job} did not end well`, {
    details: {
      hint:
        'Nothing reads the new credentials yet. See why, and run the same command again:\n' +
        `kubectl --context ${cluster.context} -n ${secret.namespace} logs job/${job}`,
    },
  });
}
