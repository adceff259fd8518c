import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import type { NixStore } from './nix-store.ts';

export interface BuiltClosure {
  /** The store path that refers to all others, directly or not. */
  readonly root: string;
  /** The whole closure, references before their referrers. */
  readonly paths: readonly string[];
}

/**
 * Has a real nix build a closure of `paths` store paths: files, folders and links, executable or
 * not, empty to a few MiB, easily and hardly compressible, with references among each other and to
 * themselves, and each kind of content-addressed path. The same on each run. Offline, seconds.
 */
export async function buildClosure(
  store: NixStore,
  options: { readonly paths: number },
): Promise<BuiltClosure> {
  const file = join(store.folder, 'closure.nix');
  const tree = join(store.folder, 'tree');
  await mkdir(join(tree, 'folder'), { recursive: true });
  await writeFile(join(tree, 'folder', 'file'), 'a source\n');
  await writeFile(file, closureExpression(options.paths));
  const root = await store.mustRun(['nix-build', file, '--no-out-link'], { timeoutMs: 300_000 });
  const closure = await store.mustRun(['nix-store', '--query', '--requisites', root]);
  const paths = closure.split('\n');
  if (paths.length === options.paths) return { root, paths };
  throw new FlywheelError('internal', `built ${paths.length} paths, not ${options.paths}`);
}

// What a builder leaves in $out. Each script also writes the paths in $refs somewhere.
const OUTPUTS: readonly string[] = [
  // one executable file
  'printf "#!/bin/sh\\necho %s\\n" "$refs" > $out; chmod +x $out',
  // a tree with links: relative, to another store path, to nowhere, and to itself
  `mkdir -p $out/bin $out/share/doc/deep/deeper; echo "$refs" > $out/share/doc/refs
   printf "#!/bin/sh\\nexec $out/bin/real\\n" > $out/bin/run; chmod +x $out/bin/run
   ln -s ../share/doc $out/bin/docs; ln -s $out/bin/run $out/self; ln -s /nowhere $out/dangling
   for r in $refs; do ln -s $r $out/dependency; break; done`,
  // a link and nothing else
  'for r in $refs; do ln -s $r $out; break; done; [ -L $out ] || ln -s target $out',
  // empty files and folders, and the paths that must be written down somewhere
  'mkdir -p $out/empty/also-empty; : > $out/file; echo "$refs" > $out/refs',
  // some MiB that compress well
  'mkdir $out; seq 1 400000 > $out/numbers; echo "$refs" > $out/refs',
  // more than a MiB that does not compress: numbers in an order that is random but always the same
  `mkdir $out; seq 1 300000 > numbers; gzip -n -1 < numbers > noise; echo "$refs" > $out/refs
   shuf --random-source=noise numbers | gzip -n -1 > $out/packed`,
  // names that sort differently by byte, by letter and by length, and are not ASCII
  `mkdir $out; for n in a B b A a-b a.b ab "with space" .hidden äöü 日本 "quote'd" 'star*'; do
     echo "$n" > "$out/$n"; done; echo "$refs" > $out/~refs`,
  // many small files
  `mkdir $out; for i in $(seq 1 300); do echo "$i $refs" > $out/$i; done`,
];

// Which nodes refer to the content-addressed paths: nodes whose output writes all of $refs down.
const SOURCES: Readonly<Record<number, string>> = { 0: 'text', 1: 'tree', 3: 'fixed' };

function closureExpression(paths: number): string {
  // The other four: the root, and a text file, a source tree and a fixed output.
  const built = paths - 4;
  if (built < OUTPUTS.length) {
    throw new FlywheelError('internal', `a closure of ${paths} paths is too small to be varied`);
  }
  const nodes = Array.from({ length: built }, (_, i) => {
    const refs = references(i).map((j) => `n${j}`);
    const source = SOURCES[i];
    if (source !== undefined) refs.push(source);
    const script = `''${(OUTPUTS[i % OUTPUTS.length] ?? '').replaceAll("''", "'''")}''`;
    return `  n${i} = make "node-${i}" [ ${refs.join(' ')} ] ${script};`;
  });
  const all = nodes.map((_, i) => `n${i}`).join(' ');
  return `let
  make = name: refs: script: derivation {
    inherit name refs;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    args = [ "-euc" script ];
  };
  text = builtins.toFile "text" "just text\\n";
  tree = builtins.path { name = "tree"; path = ./tree; };
  fixed = derivation {
    name = "fixed";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo fixed > $out" ];
    outputHashMode = "flat";
    outputHashAlgo = "sha256";
    outputHash = builtins.hashString "sha256" "fixed\\n";
  };
${nodes.join('\n')}
in make "closure-${paths}" [ ${all} ] "echo $refs > $out"
`;
}

/** Up to three earlier nodes: its neighbour, its half and its third, which makes a deep graph. */
function references(node: number): number[] {
  if (node === 0) return [];
  return [...new Set([node - 1, Math.floor(node / 2), Math.floor(node / 3)])].filter(
    (other) => other < node,
  );
}
