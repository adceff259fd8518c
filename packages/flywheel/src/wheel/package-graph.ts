import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { FlywheelError, messageOf } from '@flywheel/base';

/** A package that a program needs at run time, as it lies on this disk. */
export interface RuntimePackage {
  readonly name: string;
  readonly version: string;
  /** Real path, without symlinks: the package's identity. */
  readonly folder: string;
  /** One of this checkout's own, in TypeScript; the others come from the registry. */
  readonly own: boolean;
  /** What it imports, by the name it uses: the folder of each. */
  readonly dependencies: ReadonlyMap<string, string>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * The package in `folder` and everything it needs, by folder, found as Node finds it in what pnpm
 * has laid out. Throws `not-found` when something is not installed.
 */
export function readPackageGraph(folder: string): ReadonlyMap<string, RuntimePackage> {
  const graph = new Map<string, RuntimePackage>();
  const waiting = [realpathSync(folder)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (graph.has(next)) continue;
    const found = readPackage(next);
    graph.set(next, found);
    waiting.push(...found.dependencies.values());
  }
  return graph;
}

function readPackage(folder: string): RuntimePackage {
  const manifest = readManifest(folder);
  const own = !folder.split(sep).includes('node_modules');
  // pnpm links what a package from the registry needs beside it, and what ours need within them.
  const around = own ? join(folder, 'node_modules') : siblingsOf(folder, manifest.name);
  const required = Object.keys(manifest.dependencies ?? {});
  const optional = [manifest.optionalDependencies, manifest.peerDependencies].flatMap((names) =>
    Object.keys(names ?? {}),
  );
  const dependencies = new Map<string, string>();
  for (const name of [...required, ...optional].toSorted()) {
    // What a package brings in a node_modules of its own travels with it.
    if (!own && existsSync(join(folder, 'node_modules', name))) continue;
    const link = join(around, name);
    if (existsSync(link)) dependencies.set(name, realpathSync(link));
    else if (required.includes(name) && !optional.includes(name)) throw missing(manifest, name);
  }
  return { name: manifest.name, version: manifest.version, folder, own, dependencies };
}

function siblingsOf(folder: string, name: string): string {
  return resolve(folder, name.includes('/') ? '../..' : '..');
}

function readManifest(folder: string): Manifest {
  const path = join(folder, 'package.json');
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch (cause) {
    throw new FlywheelError('not-found', `cannot read ${path}: ${messageOf(cause)}`, {
      cause,
      details: { hint: INSTALL_AGAIN },
    });
  }
}

function missing({ name, version }: Manifest, dependency: string): FlywheelError {
  return new FlywheelError('not-found', `${name} ${version} needs ${dependency}: not installed`, {
    details: { hint: INSTALL_AGAIN },
  });
}

const INSTALL_AGAIN = 'Remove node_modules and start ./flywheel again: it installs them.';
