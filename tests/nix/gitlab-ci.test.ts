import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildClosure, runChild, startCacheProcess } from '@flywheel/testing';
import type { CacheProcess } from '@flywheel/testing';
import { AUDIENCE, startGitLabIssuer, type GitLabIssuer } from '../protocol/gitlab-issuer.ts';
import { describeEachNix } from './each-nix.ts';
import { createCache, netrcFor } from './site.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../flywheel');

// Old versions of nix say nothing of the answer.
const REVOKED = /The token has been revoked\.|does not appear to be a binary cache/;

describeEachNix('a job of GitLab without a stored secret', (nix) => {
  let folder: string;
  let gitlab: GitLabIssuer;
  let server: CacheProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flywheel-ci-'));
    gitlab = await startGitLabIssuer();
    const policy = join(folder, 'policy.yaml');
    await writeFile(
      policy,
      `issuers:
  - issuer: ${gitlab.url}
    audience: ${AUDIENCE}
    rules:
      - name: protected
        claims: { project_id: 4711, ref_protected: true }
        grants: [{ cache: team, allow: [pull, push] }]
`,
    );
    server = await startCacheProcess({ args: ['--exchange-policy', policy] });
  }, 60_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await gitlab?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test('exchanges, pushes with nix copy, and pulls; a revoked token says so', async () => {
    const cache = await createCache(server, 'team', { isPublic: false });
    const file = join(folder, 'netrc');
    const exchange = ['cache', 'exchange', '--server', server.url, '--netrc', file];
    const env = { HOME: folder, PATH: '/usr/bin:/bin', FLYWHEEL_ID_TOKEN: gitlab.idToken() };
    const exchanged = await runChild([LAUNCHER, ...exchange, '--json'], { env });
    expect(exchanged.status, exchanged.stderr).toBe(0);
    expect(JSON.parse(exchanged.stdout)).toMatchObject({ netrc: file, rule: 'protected' });
    const netrc = await readFile(file, 'utf8');

    await using builder = await nix.openStore({ netrc });
    const closure = await buildClosure(builder, { paths: 12 });
    await builder.mustRun(['nix', 'copy', '--to', cache.url, closure.root]);
    const settings = { substituters: cache.url, 'trusted-public-keys': cache.publicKey };
    await using reader = await nix.openStore({ settings, netrc });
    await reader.mustRun(['nix', 'copy', '--from', cache.url, closure.root]);

    const token = /password (\S+)/.exec(netrc)?.[1] ?? '';
    const args = ['cache', 'token', 'revoke', '--everybody', '--server', server.url];
    const admin = { HOME: folder, PATH: '/usr/bin:/bin', FLYWHEEL_TOKEN: server.adminToken };
    expect((await runChild([LAUNCHER, ...args], { env: admin })).status).toBe(0);
    await using late = await nix.openStore({ settings, netrc: netrcFor(server, token) });
    const refused = await late.run(['nix', 'copy', '--from', cache.url, closure.root]);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(REVOKED);
  });
});
