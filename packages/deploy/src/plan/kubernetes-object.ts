import { parse } from 'yaml';

/** Which object of Kubernetes a resource of the provider kubectl stands for. */
export interface KubernetesObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
}

/** The attributes of `kubectl_manifest` that are used here; all may be unknown before an apply. */
interface ManifestValues {
  readonly kind?: unknown;
  readonly api_version?: unknown;
  readonly namespace?: unknown;
  readonly name?: unknown;
  readonly yaml_body_parsed?: unknown;
  readonly apply_only?: unknown;
}

export function isManifest(type: string): boolean {
  return type === 'kubectl_manifest';
}

export function objectIn(values: unknown): KubernetesObject | undefined {
  const { kind, api_version: apiVersion, namespace, name } = (values ?? {}) as ManifestValues;
  if (typeof kind !== 'string' || typeof name !== 'string') return undefined;
  return {
    kind,
    apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
    namespace: typeof namespace === 'string' ? namespace : '',
    name,
  };
}

/** `Namespace/flywheel-cache`, `Cluster/flywheel-cache/attic-db`. */
export function formatObject({ kind, namespace, name }: KubernetesObject): string {
  return [kind, namespace, name].filter((part) => part !== '').join('/');
}

/** The object itself, in which the provider has replaced what it takes for a secret. */
export function manifestIn(values: unknown): unknown {
  const { yaml_body_parsed: text } = (values ?? {}) as ManifestValues;
  return typeof text === 'string' ? parse(text) : undefined;
}

/** Whether the object stays in the cluster when the resource goes. */
export function isKept(values: unknown): boolean {
  return ((values ?? {}) as ManifestValues).apply_only === true;
}
