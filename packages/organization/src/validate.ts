import type { z } from 'zod';
import { describeProblem, unknownKey } from './describe-problem.ts';
import type { Issue } from './issue.ts';
import { toPlain } from './layers/index.ts';
import type { MapNode, Path } from './layers/index.ts';
import { findSecrets } from './find-secrets.ts';
import { checkRules } from './rules.ts';
import { organizationSchema } from './schema/organization.ts';
import type { Organization, Section } from './schema/organization.ts';

export interface Validated {
  readonly issues: readonly Issue[];
  /** With all defaults, when there is no issue. */
  readonly organization?: Organization;
}

/**
 * Everything that is wrong with a merged file: what the schema says of each key, what the keys say
 * of each other, and values that look like secrets. Sections are looked at one by one, so that a
 * mistake in one does not keep others from being found.
 */
export function validate(tree: MapNode): Validated {
  const plain = toPlain(tree) as Readonly<Record<string, unknown>>;
  const issues: Issue[] = [...findSecrets(tree)];
  const sections: Partial<Record<Section, unknown>> = {};
  for (const [name, schema] of Object.entries(organizationSchema.shape)) {
    const section = parseSection(schema, plain[name]);
    issues.push(...section.problems.flatMap((problem) => describeProblem(tree, name, problem)));
    if (section.value !== undefined) sections[name as Section] = section.value;
  }
  for (const name of tree.entries.keys()) {
    if (!Object.hasOwn(organizationSchema.shape, name)) issues.push(unknownKey(tree, [], name));
  }
  issues.push(...checkRules(tree, sections as Partial<Organization>));
  return issues.length === 0
    ? { issues, organization: sections as unknown as Organization }
    : { issues };
}

interface ParsedSection {
  readonly problems: readonly z.core.$ZodIssue[];
  /** What is left of it without the values that are wrong. */
  readonly value?: unknown;
}

/** How often wrong values are taken out; their parents may need them, and theirs again. */
const MAX_ATTEMPTS = 8;

/** Each schema is used once or twice: to compile it first costs more than it brings. */
const ONCE = { jitless: true };

function parseSection(schema: z.ZodType, input: unknown): ParsedSection {
  const first = schema.safeParse(input, ONCE);
  if (first.success) return { problems: [], value: first.data };
  const problems = first.error.issues;
  let rest = structuredClone(input);
  let wrong: readonly z.core.$ZodIssue[] = problems;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (wrong.some(({ path, code }) => path.length === 0 && code !== 'unrecognized_keys')) break;
    // From the end, so that the positions of list items before it stay what they are.
    for (const problem of wrong.toReversed()) remove(rest, problem);
    const again = schema.safeParse(rest, ONCE);
    if (again.success) return { problems, value: again.data };
    wrong = again.error.issues;
  }
  return { problems };
}

/** Takes the value out that a problem is about, or what contains it where it is missing. */
function remove(root: unknown, problem: z.core.$ZodIssue): void {
  const path = problem.path as Path;
  const targets =
    problem.code === 'unrecognized_keys' ? problem.keys.map((key) => [...path, key]) : [path];
  for (const target of targets) {
    for (let length = target.length; length > 0; length -= 1) {
      if (removeAt(root, target.slice(0, length))) break;
    }
  }
}

function removeAt(root: unknown, path: Path): boolean {
  let holder = root as Record<string, unknown> | undefined | null;
  for (const step of path.slice(0, -1)) holder = holder?.[step] as typeof holder;
  const last = path.at(-1);
  if (typeof holder !== 'object' || holder === null || last === undefined) return false;
  if (!Object.hasOwn(holder, last) || holder[last] === undefined) return false;
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return true;
}
