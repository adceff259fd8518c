import { globSync } from 'node:fs';

/** A set of tests with the same needs. One table, read by the runner and by vitest.config.ts. */
export interface Suite {
  readonly name: string;
  /** What it takes to run it, for `./flywheel test --list`. */
  readonly needs: string;
  /** Test files, relative to the checkout. A suite without any does not exist yet. */
  readonly include: readonly string[];
  /** Part of a plain `./flywheel test`, which must work with nothing but Node installed. */
  readonly embedded: boolean;
  /** Engines own ports, mounts and namespaces: one file at a time, each in a process of its own. */
  readonly serial: boolean;
}

const NODE_ONLY = 'nothing but Node';

export const SUITES: readonly Suite[] = [
  {
    name: 'unit',
    needs: NODE_ONLY,
    include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
    embedded: true,
    serial: false,
  },
  { ...suite('protocol', NODE_ONLY), embedded: true },
  { ...suite('docs', NODE_ONLY), embedded: true, serial: false },
  suite('nix', 'root on Debian, for nix 2.8 and 2.34'),
  suite('store', 'root and a few GiB of disk'),
  suite('tofu', 'Go, to build OpenTofu with'),
  suite('cluster', 'root, for a one-node Kubernetes'),
  suite('scaler', 'root, for a one-node Kubernetes'),
  suite('browser', 'chromium'),
  suite('overlay', 'root, for Bazel'),
  suite('selfdeploy', 'root, for a one-node Kubernetes and OpenTofu'),
  suite('bench', 'nginx and an otherwise idle machine'),
];

function suite(name: string, needs: string): Suite {
  return { name, needs, include: [`tests/${name}/**/*.test.ts`], embedded: false, serial: true };
}

/** The suites that have test files below `root`. */
export function existingSuites(root: string): readonly Suite[] {
  return SUITES.filter(({ include }) => globSync([...include], { cwd: root }).length > 0);
}
