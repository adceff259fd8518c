import { loadRoot } from '../packages/flywheel/src/commands/index.ts';

/** A command with its flags (`--data`), or a group of commands. */
export interface CommandTree {
  readonly commands: ReadonlyMap<string, CommandTree>;
  readonly flags: ReadonlySet<string>;
  /** What a group does when its name is all that is given. */
  readonly own?: CommandTree;
}

const EVERYWHERE = ['--help', '-h'];
const AT_THE_ROOT = ['--version', '-v'];
/** What follows these is no command any more, such as a remark in an example. */
const LAST_WORDS: ReadonlySet<string> = new Set([...EVERYWHERE, ...AT_THE_ROOT]);

/** The tree of the real command line. */
export async function readCommandTree(): Promise<CommandTree> {
  const { commands, flags } = read(await loadRoot());
  return { commands, flags: new Set([...flags, ...AT_THE_ROOT]) };
}

/** What is wrong with `./flywheel …words`, as a reader of the docs would type it. */
export function commandIssue(tree: CommandTree, words: readonly string[]): string | undefined {
  let node = tree;
  const path = ['./flywheel'];
  for (const word of words) {
    if (word === '--' || word === '…' || word === '...') return undefined;
    const flag = /^(--?[a-z][\w-]*)/i.exec(word)?.[1];
    if (flag !== undefined) {
      if (!node.flags.has(flag)) return `${path.join(' ')} has no flag ${flag}`;
      if (LAST_WORDS.has(flag)) return undefined;
      node = node.own ?? node;
      continue;
    }
    if (node.commands.size === 0) continue; // an argument, or the value of a flag
    const next = node.commands.get(word);
    // Words of a synopsis, such as COMMAND or [OPTIONS], stand for something else.
    if (next === undefined && /^[a-z][a-z-]*$/.test(word)) {
      return `${path.join(' ')} has no command "${word}"`;
    }
    if (next === undefined) return undefined;
    path.push(word);
    node = next;
  }
  return undefined;
}

type Root = Awaited<ReturnType<typeof loadRoot>>;
type Target = ReturnType<Root['getAllEntries']>[number]['target'];

function read(target: Target): CommandTree {
  if ('getAllEntries' in target) {
    const entries = target.getAllEntries().map(({ name, target: inner }) => {
      return [name['convert-camel-to-kebab'], read(inner)] as const;
    });
    const byItself = target.getDefaultCommand();
    const commands = new Map(entries);
    if (byItself === undefined) return { commands, flags: new Set(EVERYWHERE) };
    const own = read(byItself);
    return { commands, flags: own.flags, own };
  }
  const { flags = {}, aliases = {} } = target.parameters;
  return {
    commands: new Map(),
    flags: new Set([
      ...EVERYWHERE,
      ...Object.keys(flags).map((name) => `--${kebab(name)}`),
      ...Object.keys(flags).map((name) => `--no-${kebab(name)}`),
      ...Object.keys(aliases).map((name) => `-${name}`),
    ]),
  };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
