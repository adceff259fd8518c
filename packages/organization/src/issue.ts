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

/** Of a line: as much as a terminal shows, and some of what is before the mistake. */
const MAX_SHOWN = 120;
const MAX_BEFORE = 60;

/** What would move the cursor of a terminal. */
const CONTROL = /(?!\t)\p{Cc}/gu;

/** As lines for people: position and message, the line with a caret below, the hint. */
export function formatIssue(issue: Issue): string {
  const { origin, message, hint } = issue;
  const position = positionOf(origin);
  // Masked as a whole: a key in PEM goes over many lines. Masking keeps every column.
  const line = maskSecrets(origin.source.text).split('\n')[position.line - 1]?.trimEnd() ?? '';
  const from = line.length > MAX_SHOWN ? Math.max(0, position.column - 1 - MAX_BEFORE) : 0;
  const shown = line.slice(from, from + MAX_SHOWN).replaceAll(CONTROL, '·');
  const indent = shown.slice(0, position.column - 1 - from).replaceAll(/[^\t]/g, ' ');
  const length = Math.min(origin.end - origin.start, shown.length - indent.length);
  const number = String(position.line).padStart(5);
  const lines = [
    `${formatPosition(position)}: ${message}`,
    `${number} | ${shown}`,
    `${' '.repeat(number.length)} | ${indent}${'^'.repeat(Math.max(1, length))}`,
  ];
  if (hint !== undefined) lines.push(`        ${hint.replaceAll('\n', '\n        ')}`);
  return lines.join('\n');
}

/**
 * In the order of files and lines; what two environments have in common is said once. A secret that
 * stands where a key belongs would be quoted: none leaves here.
 */
export function sortIssues(issues: readonly Issue[]): readonly Issue[] {
  const unique = new Map(
    issues.map((issue) => {
      const { source, start } = issue.origin;
      return [`${source.file}\0${start}\0${issue.message}`, masked(issue)] as const;
    }),
  );
  return [...unique.values()].toSorted(
    (a, b) =>
      a.origin.source.file.localeCompare(b.origin.source.file) || a.origin.start - b.origin.start,
  );
}

function masked({ message, hint, path, origin }: Issue): Issue {
  return {
    message: maskSecrets(message),
    ...(hint === undefined ? {} : { hint: maskSecrets(hint) }),
    path: path.map((step) => (typeof step === 'string' ? maskSecrets(step) : step)),
    origin,
  };
}
