import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { contentAddressed, narOfPath } from '@flywheel/client';
import type { PathSource } from '@flywheel/client';
import { DEFAULT_STORE_DIR } from '@flywheel/nix';
import type { NarNode } from '@flywheel/nix';
import { bundlesOf } from './bundles.ts';
import type { Bundle } from './bundles.ts';
import { readPackageGraph } from './package-graph.ts';
import type { RuntimePackage } from './package-graph.ts';
import { locationOf, treeOf } from './package-tree.ts';
import { folderOf, textFile } from './tree.ts';

export interface Wheel {
  /** Each after what it refers to; the last is `top`. */
  readonly paths: readonly PathSource[];
  /** The store path with `bin/flywheel`. */
  readonly top: string;
}

export interface WheelOptions {
  /** The package of the program: the folder with its package.json and src/main.ts. */
  readonly program: string;
  /** The Node that is to run it. */
  readonly node: { readonly executable: string; readonly version: string };
  /** Where the paths are going to lie; /nix/store unless given. */
  readonly storeDir?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * Packs a program of this checkout with everything it runs on as store paths, without Nix: its
 * Node, each package it needs, and a top path with `bin/flywheel`. The same inputs give the same
 * store paths on every machine of a platform, and a packed program packs itself to the same again.
 * Each path is read once for its hash, and again when it is pushed.
 */
export async function packWheel(options: WheelOptions): Promise<Wheel> {
  const { program, node, storeDir = DEFAULT_STORE_DIR, signal, onProgress } = options;
  const graph = readPackageGraph(program);
  const bundles = bundlesOf(graph);
  const total = bundles.length + 2;
  const paths: PathSource[] = [];
  /** The store path that holds each package, by its folder. */
  const homes = new Map<string, string>();

  const pack = async (name: string, references: Iterable<string>, tree: () => NarNode) => {
    signal?.throwIfAborted();
    onProgress?.({ done: paths.length, total });
    // Small files are read synchronously: let the server answer between two paths.
    await setImmediate();
    const sorted = [...new Set(references)].toSorted();
    const source = await contentAddressed({ name, references: sorted, tree, storeDir });
    paths.push(source);
    return source.storePath;
  };

  const nodePath = await pack(`node-${node.version}`, [], () => nodeTree(node.executable));
  for (const bundle of bundles) {
    const needed = bundle.flatMap(({ dependencies }) => [...dependencies.values()]);
    const references = needed.flatMap((folder) => homes.get(folder) ?? []);
    const targetOf = (folder: string): string => targetIn(homes, graph, folder);
    const path = await pack(nameOf(bundle), references, () => treeOf(bundle, targetOf));
    for (const { folder } of bundle) homes.set(folder, path);
  }
  const main = realpathSync(program);
  const script = startScript(nodePath, targetIn(homes, graph, main));
  const version = graph.get(main)?.version ?? '';
  const top = await pack(`flywheel-${version}`, [nodePath, homes.get(main) ?? ''], () =>
    topTree(script),
  );
  onProgress?.({ done: total, total });
  return { paths, top };
}

function targetIn(
  homes: ReadonlyMap<string, string>,
  graph: ReadonlyMap<string, RuntimePackage>,
  folder: string,
): string {
  const found = graph.get(folder);
  const home = homes.get(folder);
  // The bundles come in the order of their needs.
  if (found === undefined || home === undefined) throw new Error(`${folder} is not packed yet`);
  return `${home}/${locationOf(found)}`;
}

/** `@scope/name` 1.2.3 → `scope-name-1.2.3`. */
function nameOf(bundle: Bundle): string {
  const { name, version } = bundle[0] ?? { name: 'empty', version: '0' };
  const text = `${name.replace(/^@/, '')}-${version}`;
  return text.replaceAll(/[^0-9A-Za-z+\-._?=]/g, '-').replace(/^\.+/, '');
}

function nodeTree(executable: string): NarNode {
  const real = realpathSync(executable);
  const parts = new Map([['bin/node', narOfPath(real)]]);
  const licence = join(dirname(dirname(real)), 'LICENSE');
  if (existsSync(licence)) parts.set('LICENSE', narOfPath(licence));
  return folderOf(parts);
}

/** As the launcher of the checkout starts it; /bin/sh is there on NixOS too. */
function startScript(node: string, program: string): string {
  return `#!/bin/sh\nexec ${node}/bin/node --max-semi-space-size=1 --optimize-for-size ${program}/src/main.ts "$@"\n`;
}

function topTree(script: string): NarNode {
  return folderOf(new Map([['bin/flywheel', textFile(script, { executable: true })]]));
}
