import type { Issue } from './issue.ts';
import { sortIssues } from './issue.ts';
import { formatKeyPath } from './key-path.ts';
import {
  environmentNames,
  findNode,
  finish,
  inEnvironment,
  merge,
  misplacedOverrides,
  withoutOverrides,
} from './layers/index.ts';
import type { MapNode, UnmetDelete } from './layers/index.ts';
import { nearestHint } from './nearest.ts';
import type { Organization } from './schema/organization.ts';
import { mergeKeyOf } from './merge-keys.ts';
import type { Source } from './source.ts';
import { validate } from './validate.ts';
import { readYaml } from './yaml/read-yaml.ts';

/** What all layers say together, each value with the place that says it. */
export interface Merged {
  readonly tree: MapNode;
  /** With all defaults; missing when there is an issue in it. */
  readonly organization?: Organization;
}

export interface Loaded {
  /** Every mistake of every layer and environment, in the order of the file. */
  readonly issues: readonly Issue[];
  /** Without the overrides of an environment; missing when a file could not be read as YAML. */
  readonly base?: Merged;
  readonly environments: ReadonlyMap<string, Merged>;
}

/**
 * Merges the sources, the most general first, then each environment's overrides over them, and
 * validates all of it. Never throws for what is wrong in a file: that is in `issues`.
 */
export function loadOrganization(sources: readonly Source[]): Loaded {
  const read = sources.map((source) => readYaml(source));
  const issues: Issue[] = read.flatMap((file) => file.issues);
  const roots = read.flatMap(({ root }) => (root === undefined ? [] : [root]));
  if (issues.length > 0 || roots.length === 0) {
    return { issues: sortIssues(issues), environments: new Map() };
  }
  const together = roots.reduce((lower, upper) => merge(lower, upper, mergeKeyOf) as MapNode);
  const names = environmentNames(together);
  const base = complete(withoutOverrides(together, names));
  issues.push(...base.issues);
  const environments = new Map<string, Merged>();
  for (const name of names) {
    for (const [key, { key: origin }] of misplacedOverrides(together, name)) {
      const path = ['environments', name, 'overrides', key];
      issues.push({ message: `${key} is the same in all environments`, path, origin });
    }
    const environment = complete(inEnvironment(together, name, mergeKeyOf));
    // What is wrong without overrides is not said again at a place that has nothing to do with it.
    issues.push(...environment.issues.filter((issue) => !base.issues.some(isSame(issue))));
    environments.set(name, environment.merged);
  }
  return { issues: sortIssues(issues), base: base.merged, environments };
}

function isSame(issue: Issue): (other: Issue) => boolean {
  const key = formatKeyPath(issue.path);
  return ({ path, message }) => message === issue.message && formatKeyPath(path) === key;
}

interface Complete {
  readonly merged: Merged;
  readonly issues: readonly Issue[];
}

function complete(marked: MapNode): Complete {
  const { node: tree, unmet } = finish(marked);
  const { issues, organization } = validate(tree);
  const all = [...unmet.map((deletion) => nothingToDelete(tree, deletion)), ...issues];
  const valid = organization !== undefined && all.length === 0;
  return { merged: valid ? { tree, organization } : { tree }, issues: all };
}

function nothingToDelete(tree: MapNode, { node, path }: UnmetDelete): Issue {
  const parent = findNode(tree, path.slice(0, -1))?.node;
  const siblings = parent?.kind === 'map' ? parent.entries.keys() : [];
  return {
    message: `no lower layer has ${formatKeyPath(path)}, so there is nothing to delete`,
    ...nearestHint(String(path.at(-1)), siblings),
    path,
    origin: node.origin,
  };
}
