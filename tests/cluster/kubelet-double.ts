// Stands in for a node where there is none: what pods of Jobs would do is done here, all others become
// ready. What a pod mounts comes from the API server, as a kubelet would get it.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runChild } from '@flywheel/testing';
import type { ControlPlane } from '@flywheel/testing';

interface Source {
  readonly secret?: {
    readonly name: string;
    readonly items?: readonly { key: string; path: string }[];
  };
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly command?: readonly string[];
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
      readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly configMap?: { readonly name: string };
      readonly projected?: { readonly sources: readonly Source[] };
    }[];
  };
  readonly status?: { readonly phase?: string };
}

export interface KubeletOptions {
  readonly namespace: string;
  /** Over the environment of the containers of Jobs. */
  readonly env: Readonly<Record<string, string>>;
  /** Called before a pod that is no Job's becomes ready. */
  readonly onReady: () => Promise<void>;
}

/** Plays until it is disposed of; what went wrong is thrown then. */
export function playKubelet(plane: ControlPlane, options: KubeletOptions): AsyncDisposable {
  const stop = new AbortController();
  const playing = play(plane, options, stop.signal);
  playing.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await playing;
    },
  };
}

async function play(
  plane: ControlPlane,
  options: KubeletOptions,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Set<string>();
  while (!signal.aborted) {
    const listed = await json<{ readonly items: readonly Pod[] }>(plane, options.namespace, 'pods');
    for (const pod of listed.items) {
      const { name, ownerReferences = [] } = pod.metadata;
      if (seen.has(name)) continue;
      seen.add(name);
      if (ownerReferences[0]?.kind === 'Job') {
        const status = await runPod(plane, options, pod);
        await setStatus(plane, options, name, { phase: status === 0 ? 'Succeeded' : 'Failed' });
        continue;
      }
      await options.onReady();
      const conditions = [{ type: 'Ready', status: 'True' }];
      await setStatus(plane, options, name, { phase: 'Running', conditions });
    }
    await sleep(200);
  }
}

/** Runs the first container with its files below a folder of its own. Returns the exit status. */
async function runPod(plane: ControlPlane, options: KubeletOptions, pod: Pod): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pod-'));
  try {
    const [container] = pod.spec.containers;
    const places = (container?.volumeMounts ?? []).map(({ mountPath }) => mountPath);
    for (const { name, mountPath } of container?.volumeMounts ?? []) {
      const path = join(folder, mountPath);
      await mkdir(path, { recursive: true });
      await mount(plane, options.namespace, pod, name, path);
    }
    const within = (text: string): string =>
      places.some((place) => text === place || text.startsWith(`${place}/`))
        ? join(folder, text)
        : text;
    const env = (container?.env ?? []).map(
      ({ name, value = '' }) => [name, within(value)] as const,
    );
    const [shell = '', ...rest] = container?.command ?? [];
    const { status, stderr } = await runChild([shell, ...rest.map(within)], {
      env: { ...Object.fromEntries(env), HOME: folder, ...options.env },
    });
    if (status !== 0) throw new Error(`pod ${pod.metadata.name} ended with ${status}: ${stderr}`);
    return status;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function mount(
  plane: ControlPlane,
  namespace: string,
  pod: Pod,
  volume: string,
  path: string,
): Promise<void> {
  const { configMap, projected } = pod.spec.volumes?.find(({ name }) => name === volume) ?? {};
  if (configMap !== undefined) {
    const { data } = await json<{ readonly data: Readonly<Record<string, string>> }>(
      plane,
      namespace,
      `configmap/${configMap.name}`,
    );
    for (const [name, text] of Object.entries(data)) await write(join(path, name), text);
  }
  for (const { secret } of projected?.sources ?? []) {
    if (secret === undefined) continue;
    const { data } = await json<{ readonly data: Readonly<Record<string, string>> }>(
      plane,
      namespace,
      `secret/${secret.name}`,
    );
    for (const { key, path: file } of secret.items ?? []) {
      await write(join(path, file), Buffer.from(data[key] ?? '', 'base64').toString());
    }
  }
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function json<T>(plane: ControlPlane, namespace: string, what: string): Promise<T> {
  const { status, stdout, stderr } = await plane.kubectl([
    'get',
    what,
    '-n',
    namespace,
    '-o',
    'json',
  ]);
  if (status !== 0) throw new Error(`kubectl get ${what}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

async function setStatus(
  plane: ControlPlane,
  { namespace }: KubeletOptions,
  pod: string,
  status: object,
): Promise<void> {
  const patch = JSON.stringify({ status });
  // A pod that was replaced meanwhile needs none.
  await plane.kubectl(['patch', 'pod', pod, '-n', namespace, '--subresource=status', '-p', patch]);
}
