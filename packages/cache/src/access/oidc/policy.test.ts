import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseRule } from './choose-rule.ts';
import { verifyIdToken } from './id-token.ts';
import { parsePolicy } from './policy.ts';

function policyWith(rule: string, issuer = 'https://gitlab.example.org'): string {
  return `issuers: [{ issuer: ${issuer}, audience: x, rules: [${rule}] }]`;
}

const READ = 'grants: [{ cache: a, allow: [pull] }]';
const WRITE = 'grants: [{ cache: a, allow: [pull, push] }]';

function problem(text: string): string {
  try {
    parsePolicy(text, 'policy.yaml');
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}

test('YAML and JSON, numbers and booleans as GitLab writes them', () => {
  const yaml = parsePolicy(
    `
issuers:
  - issuer: https://gitlab.example.org
    audience: [one, two]
    rules:
      - name: main
        claims: { project_id: 4711, ref_protected: true, ref: [main, 'release/*'] }
        grants: [{ cache: '123', allow: [pull, create-cache] }, { cache: 'b-*', allow: [pull] }]
        ttl: 15m
`,
    'policy.yaml',
  );
  const [issuer] = yaml.issuers;
  const [rule] = issuer?.rules ?? [];
  expect(issuer?.audiences).toEqual(['one', 'two']);
  expect([...(rule?.claims ?? [])]).toEqual([
    ['project_id', ['4711']],
    ['ref_protected', ['true']],
    ['ref', ['main', 'release/*']],
  ]);
  expect(rule?.grants.map(({ pattern, permissions }) => [pattern, [...permissions]])).toEqual([
    ['123', ['pull', 'createCache']],
    ['b-*', ['pull']],
  ]);
  expect(rule?.ttlSeconds).toBe(900);
  const json = { issuers: [{ issuer: 'https://a', audience: 'x', rules: [] }] };
  expect(problem(JSON.stringify(json))).toContain('issuers.0.rules: Too small');
});

test.each([
  [`{ name: n, claims: { project_path: g/p }, ${READ} }`, 'needs project_id or namespace_id'],
  [`{ name: n, claims: { namespace_path: g }, ${READ} }`, 'needs project_id or namespace_id'],
  [`{ name: n, claims: { project_id: g/p }, ${READ} }`, 'project_id must be a number, not "g/p"'],
  [`{ name: n, claims: { project_id: '*' }, ${READ} }`, 'project_id must be a number, not "*"'],
  [
    `{ name: n, claims: { project_id: 1 }, ${WRITE} }`,
    'allows more than pull: it needs ref_protected',
  ],
  [
    `{ name: n, claims: { project_id: 1, ref_protected: [true, false] }, ${WRITE} }`,
    'it needs ref_protected',
  ],
  [`{ name: n, claims: { project_id: 1, ref_protectd: true }, ${READ} }`, 'ref_protectd'],
  [`{ name: n, claims: { project_id: [] }, ${READ} }`, 'project_id'],
  [`{ name: n, claims: { project_id: 1 }, ${READ}, ttl: 2d }`, 'must be from 1m to 24h'],
  [`{ name: n, claims: { project_id: 1 }, ${READ}, ttl: soon }`, '"soon" is not a duration'],
  [
    `{ name: n, claims: { project_id: 1 }, grants: [{ cache: a, allow: [admin] }] }`,
    'grants.0.allow.0',
  ],
])('%s is refused', (rule, reason) => {
  expect(problem(policyWith(rule))).toContain(reason);
});

test('what is meant and said is taken', () => {
  const rules = [
    `{ name: n, claims: { project_id: 1 }, ${WRITE}, unprotected_refs_may_write: true }`,
    `{ name: n, claims: { namespace_id: 1, environment_protected: true }, ${WRITE} }`,
    `{ name: n, claims: { namespace_id: [1, 2] }, ${READ} }`,
  ];
  for (const rule of rules) expect(problem(policyWith(rule))).toBe('none');
});

test('keys come over https, or from this machine', () => {
  const rule = `{ name: n, claims: { project_id: 1 }, ${READ} }`;
  expect(problem(policyWith(rule, 'http://127.0.0.1:3000'))).toBe('none');
  for (const url of [
    'http://gitlab.example.org',
    'http://127.0.0.1.example.org',
    'file:///etc/x',
  ]) {
    expect(problem(policyWith(rule, url))).toContain('must be an https URL');
  }
});

test('claims that are missing, or no text, fit nothing', () => {
  const policy = parsePolicy(
    policyWith(`{ name: n, claims: { project_id: 1, ref: '*' }, ${READ} }`),
    'policy.yaml',
  );
  const issuer = policy.issuers[0]!;
  const fits = (claims: Record<string, unknown>) => 'rule' in chooseRule(issuer, claims);
  expect(fits({ project_id: '1', ref: 'any' })).toBe(true);
  expect(fits({ project_id: 1, ref: '' })).toBe(true);
  expect(fits({ project_id: '1' })).toBe(false);
  expect(fits({ project_id: ['1'], ref: 'x' })).toBe(false);
  expect(fits({ project_id: { toString: '1' }, ref: 'x' })).toBe(false);
});

test('any text is refused as an ID token, with a reason', async () => {
  const policy = parsePolicy(
    policyWith(`{ name: n, claims: { project_id: 1 }, ${READ} }`),
    'policy.yaml',
  );
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc
      .constantFrom({ iss: 'https://gitlab.example.org' }, { alg: 'RS256' })
      .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
      const keys = () => ({ candidates: async () => [] });
      const verdict = await verifyIdToken(parts.join('.'), policy, keys, 0);
      expect('refused' in verdict && verdict.refused.length > 5).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
