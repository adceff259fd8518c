// Zod's findings in the words of the file: which key, what it holds, what it may hold.
import type { z } from 'zod';
import type { Issue } from './issue.ts';
import { formatKeyPath } from './key-path.ts';
import { findNode } from './layers/index.ts';
import type { Node, Path } from './layers/index.ts';
import { nearestHint } from './nearest.ts';
import { secretIn } from './secret-values.ts';
import { formatSettingPath, keysAt, settingAt, settingNamed, typeOf } from './settings.ts';
import type { Origin } from './source.ts';

/** The issues of `problem`, which zod found in `section` of the file. */
export function describeProblem(
  tree: Node,
  section: string,
  problem: z.core.$ZodIssue,
): readonly Issue[] {
  const path = [section, ...(problem.path as Path)];
  if (problem.code === 'unrecognized_keys') {
    return problem.keys.map((key) => unknownKey(tree, path, key));
  }
  const found = findNode(tree, path);
  const key = formatKeyPath(path);
  if (problem.code === 'invalid_key') {
    const reason = problem.issues[0]?.message ?? problem.message;
    const origin = found?.key ?? originOf(tree, path);
    return [{ message: `the name ${JSON.stringify(path.at(-1))} ${reason}`, path, origin }];
  }
  if (found === undefined) return [missing(tree, path)];
  const { node } = found;
  if (node.kind === 'scalar' && node.value === null) {
    return [
      {
        message: `${key} has no value`,
        hint: 'Write one, or remove the key.',
        path,
        origin: node.origin,
      },
    ];
  }
  if (node.kind === 'scalar' && typeof node.value === 'string' && secretIn(node.value)) return [];
  return [{ ...wrongValue(node, path, problem), path, origin: node.origin }];
}

/** The place of `path`, or of what is nearest above it. */
export function originOf(tree: Node, path: Path): Origin {
  for (let length = path.length; length > 0; length -= 1) {
    const found = findNode(tree, path.slice(0, length));
    if (found === undefined) continue;
    return found.node.kind === 'scalar' ? found.node.origin : (found.key ?? firstOf(found.node));
  }
  return firstOf(tree);
}

/** A whole map is too much to underline: its first key stands for it. */
function firstOf(node: Node): Origin {
  if (node.kind !== 'map') return node.origin;
  const [first] = node.entries.values();
  return first?.key ?? node.origin;
}

export function missing(tree: Node, path: Path): Issue {
  const description = settingAt(path)?.description;
  return {
    message: `${formatKeyPath(path)} is missing`,
    ...(description === undefined ? {} : { hint: `${description}.` }),
    path,
    origin: originOf(tree, path),
  };
}

/** A key that the schema does not have. */
export function unknownKey(tree: Node, path: Path, key: string): Issue {
  const known = keysAt(path) ?? [];
  const where = path.length === 0 ? 'at the top of the file' : `in ${formatKeyPath(path)}`;
  const inner = [...path, key];
  return {
    message: `there is no key ${JSON.stringify(key)} ${where}`,
    hint: [...guess(key, known), `Allowed: ${known.join(', ')}.`].join('\n'),
    path: inner,
    origin: findNode(tree, inner)?.key ?? originOf(tree, path),
  };
}

/** A neighbour that is written alike, or the same word at another place. */
function guess(key: string, known: readonly string[]): readonly string[] {
  const { hint } = nearestHint(key, known);
  if (hint !== undefined) return [hint];
  const elsewhere = settingNamed(key);
  return elsewhere === undefined ? [] : [`There is ${formatSettingPath(elsewhere)}.`];
}

function wrongValue(
  node: Node,
  path: Path,
  problem: z.core.$ZodIssue,
): Pick<Issue, 'message' | 'hint'> {
  const key = formatKeyPath(path);
  const value = describeValue(node);
  const setting = settingAt(path);
  switch (problem.code) {
    case 'invalid_value': {
      const allowed = problem.values.map(String);
      return {
        message: `${key} is ${value}, not ${allowed.length === 1 ? '' : 'one of '}${allowed.join(', ')}`,
        ...(node.kind === 'scalar' ? nearestHint(String(node.value), allowed) : {}),
      };
    }
    case 'too_small':
    case 'too_big': {
      if (!problem.message.startsWith('Too ')) break;
      if (problem.origin === 'array') return { message: `${key} is empty` };
      const bound =
        problem.code === 'too_small' ? `at least ${problem.minimum}` : `at most ${problem.maximum}`;
      return { message: `${key} is ${value}; it is ${bound}` };
    }
    case 'invalid_type': {
      // Kinds of text have a phrase of their own.
      if (!problem.message.startsWith('Invalid ')) break;
      const expected = setting === undefined ? problem.expected : typeOf(setting);
      const hint = typeHint(node, problem.expected);
      return {
        message: `${key} is ${value}, not ${ARTICLES[expected] ?? `a ${expected}`}`,
        ...(hint === undefined ? {} : { hint }),
      };
    }
    default:
  }
  const subject = node.kind === 'scalar' && node.value !== '' ? `${key}: ${value}` : key;
  const hint =
    problem.code === 'invalid_type' && problem.expected !== 'string'
      ? typeHint(node, problem.expected)
      : undefined;
  return {
    message: `${subject} ${problem.message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Of a value in a message: who wrote it knows the rest. */
const MAX_QUOTED = 80;

const ARTICLES: Readonly<Record<string, string>> = {
  '`true`, `false`': 'true or false',
  text: 'text',
};

function describeValue(node: Node): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`;
  if (typeof node.value === 'string') return JSON.stringify(shortened(node.value));
  return typeof node.value === 'number' ? `the number ${node.value}` : String(node.value);
}

function shortened(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

/** Two ways in which YAML takes a word for something else. */
function typeHint(node: Node, expected: string): string | undefined {
  if (node.kind !== 'scalar') return undefined;
  if (expected === 'boolean' && /^(?:yes|no|on|off)$/i.test(String(node.value))) {
    return 'YAML 1.2 takes this for a word: write true or false.';
  }
  if (expected === 'string' && typeof node.value !== 'string') {
    const { source, start, end } = node.origin;
    return `Put it in quotes: "${source.text.slice(start, end)}".`;
  }
  const isNumber = /^\d+$/.test(String(node.value));
  return isNumber && /^(?:int|number)$/.test(expected) ? 'Remove the quotes.' : undefined;
}
