import { FlywheelError } from '@flywheel/base';
import { decodeFileName, encodeFileName } from '@flywheel/nix';
import type { NarNode } from '@flywheel/nix';

/** A folder made of parts: each path (`lib/node_modules/hono`) holds what is said. */
export function folderOf(parts: ReadonlyMap<string, NarNode>): NarNode {
  const own = new Map<string, NarNode>();
  const below = new Map<string, Map<string, NarNode>>();
  for (const [path, node] of parts) {
    const slash = path.indexOf('/');
    if (slash < 0) own.set(path, node);
    else {
      const name = path.slice(0, slash);
      const inner = below.get(name) ?? new Map<string, NarNode>();
      below.set(name, inner.set(path.slice(slash + 1), node));
    }
  }
  for (const [name, inner] of below) {
    if (own.has(name)) {
      throw new FlywheelError('internal', `"${name}" is both a part of a tree and a folder in it`);
    }
    own.set(name, folderOf(inner));
  }
  const sorted = [...own].toSorted(([a], [b]) =>
    Buffer.compare(encodeFileName(a), encodeFileName(b)),
  );
  return { type: 'directory', entries: () => sorted };
}

export function linkTo(target: string): NarNode {
  return { type: 'symlink', target };
}

export function textFile(text: string, options: { readonly executable?: boolean } = {}): NarNode {
  const bytes = Buffer.from(text);
  return {
    type: 'regular',
    executable: options.executable === true,
    size: bytes.length,
    contents: () => [bytes],
  };
}

/** The same tree without what `keep` refuses; it is asked with paths relative to the tree. */
export function pruned(node: NarNode, keep: (path: string) => boolean, path = ''): NarNode {
  if (node.type !== 'directory') return node;
  return {
    type: 'directory',
    async *entries() {
      for await (const [fileName, inner] of node.entries()) {
        const name =
          typeof fileName === 'string' ? fileName : decodeFileName(Buffer.from(fileName));
        const innerPath = path === '' ? name : `${path}/${name}`;
        if (keep(innerPath)) yield [fileName, pruned(inner, keep, innerPath)] as const;
      }
    },
  };
}
