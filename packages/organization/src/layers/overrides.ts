// Environments differ by what stands below `environments.NAME.overrides`: a layer over the file.
import type { Origin, Source } from '../source.ts';
import { merge } from './merge.ts';
import type { MergeKeyOf } from './merge.ts';
import type { Entry, MapNode, Node } from './node.ts';

/** An environment cannot change whose it is, or what other environments are. */
export const SAME_EVERYWHERE: readonly string[] = ['apiVersion', 'organization', 'environments'];

export function environmentNames(root: MapNode): readonly string[] {
  return [...environmentsOf(root)].flatMap(([name, { value }]) =>
    value.kind === 'map' && value.mark !== 'delete' ? [name] : [],
  );
}

/** Keys of the environment's overrides that it cannot override. */
export function misplacedOverrides(
  root: MapNode,
  name: string,
): readonly (readonly [string, Entry])[] {
  const overrides = overridesOf(root, name);
  return [...(overrides?.entries ?? [])].filter(([key]) => SAME_EVERYWHERE.includes(key));
}

/** The file as it is in one environment: its overrides merged, and no other environment in it. */
export function inEnvironment(root: MapNode, name: string, mergeKeyOf: MergeKeyOf): MapNode {
  const overrides = overridesOf(root, name);
  const base = withoutOverrides(root, [name]);
  if (overrides === undefined) return base;
  const entries = new Map([...overrides.entries].filter(([key]) => !SAME_EVERYWHERE.includes(key)));
  // A mark was about overrides of a lower layer, not about the file.
  const layer: MapNode = { kind: 'map', origin: overrides.origin, entries };
  return merge(base, asEnvironment(layer), mergeKeyOf) as MapNode;
}

/** The file with these environments only, and without what is different in them. */
export function withoutOverrides(root: MapNode, names: readonly string[]): MapNode {
  const environments = root.entries.get('environments');
  if (environments?.value.kind !== 'map') return root;
  const kept = new Map<string, Entry>();
  for (const [name, environment] of environments.value.entries) {
    const known = environment.value.kind === 'map' && environment.value.mark !== 'delete';
    if (known && !names.includes(name)) continue;
    kept.set(name, { ...environment, value: plainEnvironment(environment.value) });
  }
  const value = { ...environments.value, entries: kept };
  return {
    ...root,
    entries: new Map(root.entries).set('environments', { ...environments, value }),
  };
}

/** Overrides that are no map stay, to be complained about, and so does their deletion. */
function plainEnvironment(environment: Node): Node {
  if (environment.kind !== 'map') return environment;
  if (mapOf(environment.entries.get('overrides')?.value) === undefined) return environment;
  const entries = new Map(environment.entries);
  entries.delete('overrides');
  return { ...environment, entries };
}

function environmentsOf(root: MapNode): ReadonlyMap<string, Entry> {
  const environments = root.entries.get('environments')?.value;
  return environments?.kind === 'map' ? environments.entries : new Map<string, Entry>();
}

function overridesOf(root: MapNode, name: string): MapNode | undefined {
  const environment = environmentsOf(root).get(name)?.value;
  return environment?.kind === 'map'
    ? mapOf(environment.entries.get('overrides')?.value)
    : undefined;
}

function mapOf(node: Node | undefined): MapNode | undefined {
  return node?.kind === 'map' && node.mark !== 'delete' ? node : undefined;
}

/** The same nodes, said by the layer of the environment. */
function asEnvironment<N extends Node>(node: N): N {
  const sources = new Map<Source, Source>();
  const said = (origin: Origin): Origin => {
    const source = sources.get(origin.source) ?? {
      ...origin.source,
      layer: 'environment' as const,
    };
    sources.set(origin.source, source);
    return { ...origin, source };
  };
  const relabel = (old: Node): Node => {
    const origin = said(old.origin);
    if (old.kind === 'scalar') return { ...old, origin };
    if (old.kind === 'list') return { ...old, origin, items: old.items.map(relabel) };
    const entries = [...old.entries].map(
      ([key, entry]) => [key, { key: said(entry.key), value: relabel(entry.value) }] as const,
    );
    return { ...old, origin, entries: new Map(entries) };
  };
  return relabel(node) as N;
}
