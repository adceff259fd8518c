import { readFile, stat } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { FlywheelError, messageOf, parseDuration, toFlywheelError } from '@flywheel/base';
import { GrantList, parseGrants } from '../grant-list.ts';
import type { Grant } from '../permissions.ts';

/** Who may have which token for an `id_token` of a GitLab instance. */
export interface ExchangePolicy {
  readonly issuers: readonly TrustedIssuer[];
}

export interface TrustedIssuer {
  /** Exactly as in the `iss` claim. */
  readonly issuer: string;
  /** One of these must be in the `aud` claim. */
  readonly audiences: readonly string[];
  /** Where its keys are; undefined: where its discovery document says. */
  readonly jwksUri: string | undefined;
  /** The first that fits decides. */
  readonly rules: readonly ExchangeRule[];
}

export interface ExchangeRule {
  readonly name: string;
  /** Claim by claim the texts of which it must have one. */
  readonly claims: ReadonlyMap<string, readonly string[]>;
  readonly grants: readonly Grant[];
  readonly ttlSeconds: number;
}

const DEFAULT_TTL = '1h';
const MAX_TTL_SECONDS = 24 * 3600;
const MAX_BYTES = 1024 * 1024;

/**
 * The claims of GitLab's ID tokens that a rule may ask for: a closed list, because a rule with a
 * misspelt claim would never fit, or one day fit too much.
 * https://docs.gitlab.com/ci/secrets/id_token_authentication/
 */
const CLAIM_NAMES = [
  'project_id',
  'project_path',
  'project_visibility',
  'namespace_id',
  'namespace_path',
  'user_id',
  'user_login',
  'user_access_level',
  'pipeline_source',
  'ref',
  'ref_path',
  'ref_type',
  'ref_protected',
  'environment',
  'environment_protected',
  'environment_action',
  'deployment_tier',
  'runner_id',
  'runner_environment',
  'ci_config_ref_uri',
  'sub',
] as const;

const Scalar = z.union([z.string().min(1), z.number(), z.boolean()]).transform(String);
const Wanted = z.union([Scalar.transform((one) => [one]), z.array(Scalar).min(1)]);

const Rule = z
  .strictObject({
    name: z.string().min(1).max(100),
    claims: z.partialRecord(z.enum(CLAIM_NAMES), Wanted),
    grants: GrantList,
    ttl: z.string().default(DEFAULT_TTL).transform(ttlSeconds),
    unprotected_refs_may_write: z.boolean().default(false),
  })
  .superRefine((rule, context) => {
    for (const message of ruleProblems(rule)) context.addIssue({ code: 'custom', message });
  });

const Policy = z.strictObject({
  issuers: z
    .array(
      z.strictObject({
        issuer: z.string().refine(isTrustworthyUrl, 'must be an https URL'),
        audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
        jwks_uri: z.string().refine(isTrustworthyUrl, 'must be an https URL').optional(),
        rules: z.array(Rule).min(1),
      }),
    )
    .min(1),
});

/** Reads a policy in YAML or JSON. Throws `invalid-input` with all that is wrong with it. */
export async function loadPolicy(file: string): Promise<ExchangePolicy> {
  let text: string;
  try {
    if ((await stat(file)).size > MAX_BYTES) {
      throw new FlywheelError('too-large', `${file} is larger than a policy can be`);
    }
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw toFlywheelError(cause, 'read the exchange policy');
  }
  return parsePolicy(text, file);
}

export function parsePolicy(text: string, file: string): ExchangePolicy {
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new FlywheelError('invalid-input', `${file} is not valid YAML: ${messageOf(cause)}`);
  }
  const { success, data, error } = Policy.safeParse(value);
  if (!success) {
    const lines = error.issues.map(
      ({ path, message }) => `${path.join('.') || 'policy'}: ${message}`,
    );
    throw new FlywheelError(
      'invalid-input',
      `${file} is not an exchange policy:\n${lines.join('\n')}`,
    );
  }
  const issuers = data.issuers.map(({ issuer, audience, jwks_uri: jwksUri, rules }) => ({
    issuer,
    audiences: typeof audience === 'string' ? [audience] : audience,
    jwksUri,
    rules: rules.map(({ name, claims, grants, ttl }) => ({
      name,
      claims: new Map(Object.entries(claims)),
      grants: parseGrants(grants),
      ttlSeconds: ttl,
    })),
  }));
  return { issuers: checkDistinct(issuers, file) };
}

/** Keys that decide who may push must not come over a line that others can write on. */
export function isTrustworthyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, search, hash } = new URL(text);
  if (username !== '' || search + hash !== '') return false;
  const local = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && local);
}

/** Numbers by which GitLab knows a project for ever, unlike its path. */
const IDENTIFYING = ['project_id', 'namespace_id'] as const;

function* ruleProblems(rule: {
  readonly claims: Readonly<Partial<Record<(typeof CLAIM_NAMES)[number], readonly string[]>>>;
  readonly grants: readonly { readonly allow: readonly string[] }[];
  readonly unprotected_refs_may_write: boolean;
}): Generator<string> {
  const { claims } = rule;
  if (IDENTIFYING.every((name) => claims[name] === undefined)) {
    yield 'needs project_id or namespace_id among its claims: whoever gets hold of a path that was renamed or removed would get the permissions';
  }
  for (const name of IDENTIFYING) {
    const wrong = claims[name]?.find((id) => !/^[1-9]\d*$/.test(id));
    if (wrong !== undefined) yield `${name} must be a number, not ${JSON.stringify(wrong)}`;
  }
  const writes = rule.grants.some(({ allow }) => allow.some((word) => word !== 'pull'));
  const isProtected = [claims.ref_protected, claims.environment_protected].some(
    (wanted) => wanted?.length === 1 && wanted[0] === 'true',
  );
  if (writes && !isProtected && !rule.unprotected_refs_may_write) {
    yield 'allows more than pull: it needs ref_protected: true or environment_protected: true, because everybody who may push a branch decides what its jobs do; unprotected_refs_may_write: true says that this is meant';
  }
}

function ttlSeconds(text: string, context: z.RefinementCtx): number {
  try {
    const seconds = Math.floor(parseDuration(text) / 1000);
    if (seconds >= 60 && seconds <= MAX_TTL_SECONDS) return seconds;
    context.addIssue({ code: 'custom', message: 'must be from 1m to 24h' });
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
  return z.NEVER;
}

function checkDistinct(issuers: readonly TrustedIssuer[], file: string): readonly TrustedIssuer[] {
  const names = new Set(issuers.map(({ issuer }) => issuer));
  if (names.size === issuers.length) return issuers;
  throw new FlywheelError(
    'invalid-input',
    `${file} names an issuer twice; put all rules under one`,
  );
}
