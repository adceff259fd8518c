import type { Path } from './layers/node.ts';
import { maskSecrets } from './secret-values.ts';
import { formatPosition, positionOf } from './source.ts';
import type { Origin } from './source.ts';

/** One mistake in a configuration file. */
export interface Issue {
  /** What is wrong, without the position; never quotes what may be a secret. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly path: Path;
  readonly origin: Origin;
}

/** As lines for people: position and message, the line with a caret below, the hint. */
export function formatIssue(issue: Issue): string {
  const { origin, message, hint } = issue;
  const position = positionOf(origin);
  // Masked as a whole: a key in PEM goes over many lines. Masking keeps every column.
  const line = maskSecrets(origin.source.text).split('\n')[position.line - 1] ?? '';
  const start = position.column - 1;
  const length = Math.min(origin.end - origin.start, line.trimEnd().length - start);
  const number = String(position.line).padStart(5);
  const lines = [
    `${formatPosition(position)}: ${message}`,
    `${number} | ${line.trimEnd()}`,
    `${' '.repeat(number.length)} | ${line.slice(0, start).replaceAll(/[^\t]/g, ' ')}${'^'.repeat(Math.max(1, length))}`,
  ];
  if (hint !== undefined) lines.push(`        ${hint.replaceAll('\n', '\n        ')}`);
  return lines.join('\n');
}

/** In the order of files and lines; what two environments have in common is said once. */
export function sortIssues(issues: readonly Issue[]): readonly Issue[] {
  const unique = new Map(
    issues.map((issue) => {
      const { source, start } = issue.origin;
      return [`${source.file}\0${start}\0${issue.message}`, issue] as const;
    }),
  );
  return [...unique.values()].toSorted(
    (a, b) =>
      a.origin.source.file.localeCompare(b.origin.source.file) || a.origin.start - b.origin.start,
  );
}
