import { FlywheelError } from '@flywheel/base';
import type { NarHandler } from './nar-parser.ts';

/** What Nix puts beside a NAR as `<hash>.ls`: the tree without the contents. */
export interface NarListing {
  readonly version: 1;
  readonly root: NarListingNode;
}

export type NarListingNode =
  | {
      readonly type: 'regular';
      readonly size: number;
      readonly executable?: true;
      /** Where the contents start in the NAR, in bytes. */
      readonly narOffset: number;
    }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'directory'; readonly entries: Readonly<Record<string, NarListingNode>> };

type Entries = Record<string, NarListingNode>;

/**
 * A handler for `NarParser` that builds the listing, to be asked for after the parser's `end`. Its
 * size grows with the number of files; the caller bounds the NAR.
 */
export function narListing(): {
  readonly handler: NarHandler;
  readonly listing: () => NarListing;
} {
  // The root is the only entry, named '', of a folder that does not exist.
  const top = emptyEntries();
  const open: Entries[] = [top];
  const add = (name: string, node: NarListingNode): void => {
    const folder = open.at(-1) ?? top;
    folder[name] = node;
  };
  const handler: NarHandler = {
    directory(name) {
      const entries = emptyEntries();
      add(name, { type: 'directory', entries });
      open.push(entries);
    },
    regular({ name, executable, size, offset }) {
      const mode = executable ? { executable } : {};
      add(name, { type: 'regular', size, ...mode, narOffset: offset });
    },
    symlink: (name, target) => add(name, { type: 'symlink', target }),
    leave: () => void open.pop(),
  };
  return {
    handler,
    listing() {
      const root = top[''];
      if (root === undefined) throw new FlywheelError('internal', 'no NAR has been read yet');
      return { version: 1, root };
    },
  };
}

/** Without a prototype, so that a file called `__proto__` is an entry like any other. */
function emptyEntries(): Entries {
  return Object.create(null) as Entries;
}
