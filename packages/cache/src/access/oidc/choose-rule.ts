import { matchesPattern } from '../permissions.ts';
import type { ExchangeRule, TrustedIssuer } from './policy.ts';

/** The payload of an ID token. Claims that are no text are compared as text: `"4711"` and 4711. */
export type IdTokenClaims = Readonly<Record<string, unknown>>;

/** What names a thing that has a number as well; only in those a star stands for any characters. */
const PATTERNS: ReadonlySet<string> = new Set([
  'ref',
  'ref_path',
  'environment',
  'project_path',
  'namespace_path',
  'ci_config_ref_uri',
  'sub',
]);

export type RuleChoice =
  | { readonly rule: ExchangeRule }
  /** Claims of the token that no rule for its own project or namespace takes. */
  | { readonly unfit: readonly string[] };

/** The first rule that fits. Without one, what its holder may know of why not. */
export function chooseRule({ rules }: TrustedIssuer, claims: IdTokenClaims): RuleChoice {
  const unfit = new Set<string>();
  for (const rule of rules) {
    const failed = [...rule.claims].filter(([name, wanted]) => !fits(name, wanted, claims[name]));
    if (failed.length === 0) return { rule };
    const names = failed.map(([name]) => name);
    // Rules for others are none of the caller's affair.
    if (names.includes('project_id') || names.includes('namespace_id')) continue;
    for (const name of names) unfit.add(name);
  }
  return { unfit: [...unfit] };
}

function fits(name: string, wanted: readonly string[], claim: unknown): boolean {
  if (!['string', 'number', 'boolean'].includes(typeof claim)) return false;
  const text = String(claim);
  return wanted.some((each) => (PATTERNS.has(name) ? matchesPattern(each, text) : each === text));
}
