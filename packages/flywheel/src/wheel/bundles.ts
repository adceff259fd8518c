import type { RuntimePackage } from './package-graph.ts';

/** Packages that share a store path: usually one, and several where they need each other. */
export type Bundle = readonly RuntimePackage[];

/**
 * The packages in an order in which each comes after what it needs: a content-addressed path can
 * only refer to paths that are known already. For the same reason a cycle (`pg` and `pg-pool` have
 * one) has to become one path. Tarjan's algorithm gives both; by names, so that the order is the
 * same everywhere.
 */
export function bundlesOf(graph: ReadonlyMap<string, RuntimePackage>): readonly Bundle[] {
  const bundles: Bundle[] = [];
  const indexes = new Map<string, number>();
  const stack: RuntimePackage[] = [];
  const open = new Set<string>();

  const visit = (node: RuntimePackage): number => {
    const index = indexes.size;
    indexes.set(node.folder, index);
    stack.push(node);
    open.add(node.folder);
    let lowest = index;
    for (const folder of node.dependencies.values()) {
      const dependency = graph.get(folder);
      if (dependency === undefined) continue;
      const known = indexes.get(folder);
      if (known === undefined) lowest = Math.min(lowest, visit(dependency));
      else if (open.has(folder)) lowest = Math.min(lowest, known);
    }
    if (lowest === index) {
      const bundle = stack.splice(stack.indexOf(node));
      for (const { folder } of bundle) open.delete(folder);
      bundles.push(bundle.toSorted(byName));
    }
    return lowest;
  };

  for (const node of [...graph.values()].toSorted(byName)) {
    if (!indexes.has(node.folder)) visit(node);
  }
  return bundles;
}

function byName(a: RuntimePackage, b: RuntimePackage): number {
  return compare(a.name, b.name) || compare(a.version, b.version);
}

/** Not localeCompare: that depends on the machine's language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
