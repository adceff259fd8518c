import { existsSync, readdirSync } from 'node:fs';
import { basename, join, posix, resolve } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { narOfPath } from '@flywheel/client';
import type { NarNode } from '@flywheel/nix';
import type { Bundle } from './bundles.ts';
import type { RuntimePackage } from './package-graph.ts';
import { folderOf, linkTo, pruned } from './tree.ts';

/** Where a package lies within its store path. */
export function locationOf({ name, folder, own }: RuntimePackage): string {
  // Node runs no TypeScript that really lies below a folder called node_modules, and our own
  // packages are TypeScript. Links do no harm: Node looks at real paths.
  return own ? `packages/${basename(folder)}` : `lib/node_modules/${name}`;
}

/**
 * The contents of a bundle's store path: its packages, and links to what they need, where Node
 * looks for them from the packages' real paths. `targetOf` says what a link to the package in a
 * folder of another bundle points to.
 */
export function treeOf(bundle: Bundle, targetOf: (folder: string) => string): NarNode {
  const parts = new Map<string, NarNode>();
  for (const member of bundle) {
    for (const [path, node] of member.own ? ownParts(member) : registryParts(member)) {
      if (parts.has(path)) throw twoVersions(bundle, member.name);
      parts.set(path, node);
    }
  }
  const targets = new Map<string, string>();
  for (const member of bundle) {
    for (const [name, folder] of member.dependencies) {
      const link = `${member.own ? `${locationOf(member)}/` : 'lib/'}node_modules/${name}`;
      const inside = bundle.find((other) => other.folder === folder);
      const location = inside === undefined ? undefined : locationOf(inside);
      if (location === link) continue;
      const target =
        location === undefined ? targetOf(folder) : posix.relative(posix.dirname(link), location);
      if (parts.has(link) || (targets.get(link) ?? target) !== target) {
        throw twoVersions(bundle, name);
      }
      targets.set(link, target);
    }
  }
  for (const [link, target] of targets) parts.set(link, linkTo(target));
  return folderOf(parts);
}

type Parts = readonly (readonly [path: string, node: NarNode])[];

/** All files as the registry has them. */
function registryParts(member: RuntimePackage): Parts {
  // pnpm leaves scripts there that name the checkout.
  const modules = join(member.folder, 'node_modules');
  const bundled = existsSync(modules) && readdirSync(modules).some((name) => name !== '.bin');
  const unwanted = bundled ? 'node_modules/.bin' : 'node_modules';
  return [[locationOf(member), pruned(narOfPath(member.folder), (path) => path !== unwanted)]];
}

/** What runs: the manifest and the source, without tests and without an editor's leavings. */
function ownParts(member: RuntimePackage): Parts {
  const manifest = narOfPath(join(member.folder, 'package.json'));
  const source = pruned(
    narOfPath(join(member.folder, 'src')),
    (path) => !/^\.|~$|\.test\.ts$/.test(posix.basename(path)),
  );
  const licence = join(resolve(member.folder, '../..'), 'LICENSE');
  const location = locationOf(member);
  return [
    [`${location}/package.json`, manifest],
    [`${location}/src`, source],
    ...(existsSync(licence) ? [['LICENSE', narOfPath(licence)] as const] : []),
  ];
}

function twoVersions(bundle: Bundle, name: string): FlywheelError {
  const members = bundle.map((member) => member.name).join(', ');
  return new FlywheelError(
    'unsupported',
    `${members} need each other, so they share a store path, which cannot hold two of ${name}`,
  );
}
