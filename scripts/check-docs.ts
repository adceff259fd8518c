// Holds the documentation to what exists: links, anchors, commands and flags. Run by `just check`
// and by the docs suite.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { commandIssue } from './command-tree.ts';
import type { CommandTree } from './command-tree.ts';
import { readMarkdown } from './markdown.ts';
import type { Markdown } from './markdown.ts';

const IGNORED = ['**/node_modules/**', '**/.artifacts/**', '**/.git/**', 'tests/testdata/**'];

/** What no page may contain, and why. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/(?:^|[\s`"'(])\/(?:home|Users|root)\/[\w.-]+/, 'names a path of one machine'],
  [/\bhttps?:\/\/[\w.-]+\.(?:internal|lan|corp|local)\b/, 'names a host of a private network'],
  [/\b(?:TODO|FIXME|TBD|Lorem ipsum)\b/i, 'is not finished'],
];

/** Everything wrong in the Markdown files below `root`, one line each. */
export function checkDocs(root: string, commands: CommandTree): readonly string[] {
  const paths = globSync('**/*.md', { cwd: root, exclude: IGNORED }).toSorted();
  const pages = new Map<string, Markdown>();
  const page = (path: string): Markdown => {
    const known = pages.get(path) ?? readMarkdown(readFileSync(join(root, path), 'utf8'));
    pages.set(path, known);
    return known;
  };
  return paths.flatMap((path) => [
    ...linkIssues(root, path, page),
    ...outsideIssues(root, path, page(path)),
    ...page(path).commands.flatMap(({ line, words }) => {
      const issue = commandIssue(commands, words);
      return issue === undefined ? [] : [`${path}:${line}: ${issue}`];
    }),
    ...page(path).lines.flatMap((text, index) =>
      FORBIDDEN.filter(([pattern]) => pattern.test(text)).map(
        ([, what]) => `${path}:${index + 1}: ${what}: ${text.trim()}`,
      ),
    ),
  ]);
}

function linkIssues(root: string, path: string, page: (path: string) => Markdown): string[] {
  return page(path).links.flatMap(({ line, target }) => {
    if (/^[a-z][a-z+.-]*:/i.test(target)) return [];
    const [file = '', anchor] = target.split('#', 2);
    const absolute = file === '' ? join(root, path) : resolve(root, dirname(path), decode(file));
    const linked = relative(root, absolute);
    if (linked.startsWith('..')) return [`${path}:${line}: ${target} leaves the repository`];
    if (!existsSync(absolute)) return [`${path}:${line}: ${target} does not exist`];
    if (anchor === undefined || !linked.endsWith('.md')) return [];
    if (page(linked).anchors.has(decode(anchor))) return [];
    return [`${path}:${line}: ${linked} has no heading #${anchor}`];
  });
}

/** A path in the text that climbs out of the checkout means nothing to a reader elsewhere. */
function outsideIssues(root: string, path: string, { lines }: Markdown): string[] {
  return lines.flatMap((text, index) =>
    [...text.matchAll(/(?<![\w./])(?:\.\.\/)+[\w-]+/g)]
      .filter(([mentioned]) =>
        relative(root, resolve(root, dirname(path), mentioned)).startsWith('..'),
      )
      .map(([mentioned]) => `${path}:${index + 1}: ${mentioned} leaves the repository`),
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

if (import.meta.main) {
  const { readCommandTree } = await import('./command-tree.ts');
  const issues = checkDocs(resolve(import.meta.dirname, '..'), await readCommandTree());
  for (const issue of issues) console.error(issue);
  console.log(issues.length === 0 ? 'Docs: in order.' : `Docs: ${issues.length} problems.`);
  process.exitCode = issues.length === 0 ? 0 : 1;
}
