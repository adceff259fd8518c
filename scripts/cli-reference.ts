// Writes docs/reference/cli.md from the commands' own --help. The docs suite holds the page to it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../packages/flywheel/src/app.ts';
import { createTestContext } from '../packages/flywheel/src/test-context.ts';
import { readCommandTree } from './command-tree.ts';
import type { CommandTree } from './command-tree.ts';

const PAGE = join(import.meta.dirname, '../docs/reference/cli.md');

const HEAD = `<!-- Written by scripts/cli-reference.ts from the program itself. Not edited by hand. -->

# Command line

What \`./flywheel\` and each command say with \`--help\`. All of them end with one of the
[exit codes](exit-codes.md).

- \`--json\` prints one JSON document on stdout and nothing else there, also for an error. Progress
  and messages for people are on stderr.
- Progress is a bar on a terminal and one line a step elsewhere. \`NO_COLOR=1\` turns colours off.
- \`FLYWHEEL_SERVER\` and \`FLYWHEEL_TOKEN\` stand in for \`--server\` and the token of \`--token-file\`;
  \`FLYWHEEL_DEBUG=1\` for \`--verbose\`.
`;

/** The page as it has to be. */
export async function renderCliReference(): Promise<string> {
  const sections = commandPaths(await readCommandTree()).map(async (path) => {
    const title = ['./flywheel', ...path].join(' ');
    return `\n## ${title}\n\n\`\`\`text\n${(await helpOf(path)).trim()}\n\`\`\`\n`;
  });
  return HEAD + (await Promise.all(sections)).join('');
}

function commandPaths(tree: CommandTree, path: readonly string[] = []): (readonly string[])[] {
  const below = [...tree.commands].flatMap(([name, inner]) => commandPaths(inner, [...path, name]));
  return [path, ...below];
}

async function helpOf(path: readonly string[]): Promise<string> {
  const recording = createTestContext();
  await runCli([...path, '--help'], recording.context);
  // Columns that are padded to their longest cell end in spaces.
  return recording.stdout().replaceAll(/ +$/gm, '');
}

/** The page as it is. */
export function readCliReference(): string {
  return readFileSync(PAGE, 'utf8');
}

if (import.meta.main) {
  writeFileSync(PAGE, await renderCliReference());
}
