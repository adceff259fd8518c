import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  customResources,
  figure,
  isMissing,
  kubernetesOpenApi,
  nameOf,
  outputOf,
  podIssues,
  podTemplate,
  runChild,
  setIssues,
  startTofu,
} from '@flywheel/testing';
import type { Manifest, SchemaSet, Tofu } from '@flywheel/testing';
import { commandIssue, readCommandTree } from '../../scripts/command-tree.ts';
import { makeWorkplace } from './flywheel-process.ts';
import { MODULES } from './module-folders.ts';
import { manifestsInPlan } from './planned-manifests.ts';
import { readSchemas } from './read-schemas.ts';

const TOFU = dirname(MODULES);
const STACKS = globSync('stacks/*/stack.yaml', { cwd: TOFU }).map((file) =>
  basename(dirname(file)),
);
/** Stand for the published manifests of the operators, which are megabytes. */
const RELEASES = ['cloudnative-pg', 'plugin-barman-cloud'];

const EXAMPLES = [
  ['organization.example.yaml', 'production'],
  ['examples/gitlab-com-managed-s3.yaml', 'staging'],
  ['examples/self-managed-ha.yaml', 'production'],
  ['examples/single-node-k3s.yaml', 'k3s'],
] as const;

const [found, openApi] = [await startTofu(TOFU), await kubernetesOpenApi()];
const resources = await customResources();

describe('stacks', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else if (typeof openApi !== 'string') test('all of it', ({ skip }) => skip(openApi.missing));
  else if (typeof resources !== 'string') test('all of it', ({ skip }) => skip(resources.missing));
  else declare(found, readSchemas(openApi, resources));
});

function declare(tofu: Tofu, schemas: SchemaSet): void {
  afterAll(() => tofu[Symbol.asyncDispose]());

  const stacks = join(tofu.root, 'stacks');

  test('they are formatted', async () => {
    expect(
      outputOf(await tofu.run('stacks', ['fmt', '-check', '-diff', '-recursive']), 'fmt'),
    ).toBe('');
  });

  test.each(STACKS)('%s is valid', async (stack) => {
    outputOf(await tofu.run(join('stacks', stack), ['init', '-backend=false']), 'tofu init');
    outputOf(await tofu.run(join('stacks', stack), ['validate']), 'tofu validate');
  });

  describe.each(EXAMPLES)('%s in %s', (example, environment) => {
    test('all stacks are planned, and every object keeps to the rules', async () => {
      await using place = await makeWorkplace(tofu, { example });
      const words = ['--all', '--backend=local', '--environment', environment, '--stacks', stacks];
      await place.write('config/vendor.lock.yaml', lockFile());
      for (const name of RELEASES) await place.write(`mirror/${name}-1.0.0.yaml`, release(name));
      const startedMs = Date.now();
      const planned = await place.flywheel(['plan', ...words, '--json'], {
        FLYWHEEL_VENDOR_MIRROR: 'mirror',
      });
      const tookMs = Date.now() - startedMs;
      expect(planned.stderr).not.toMatch(/^Error/m);
      expect(planned.status).toBe(0);
      if (example === EXAMPLES[0][0]) figure('plan_all_stacks_ms', tookMs, 'ms', { max: 15_000 });

      const nowhere = { KUBECONFIG: place.path('nothing'), FLYWHEEL_VENDOR_MIRROR: 'mirror' };
      const applied = await place.flywheel(['apply', 'attic', ...words.slice(1)], nowhere);
      expect(applied.status).toBe(4);
      expect(applied.stderr).toContain('there is no kubeconfig');

      const plans = STACKS.map((stack) => place.path(`.flywheel/local/${environment}/${stack}`));
      const documents = await Promise.all(
        plans.map(async (folder) => {
          const args = ['show', '-json', join(folder, 'plan.tfplan')];
          const cwd = join(folder, 'tofu/stacks', basename(folder));
          return outputOf(await runChild([tofu.program, ...args], { cwd, env: tofu.env }), 'show');
        }),
      );
      const manifests = documents.flatMap(manifestsInPlan);
      const issues = manifests.flatMap((manifest) =>
        (schemas.issues(manifest) ?? []).map((issue) => `${nameOf(manifest)}: ${issue}`),
      );
      expect(issues).toEqual([]);
      expect([...manifests.flatMap(podIssues), ...setIssues(manifests)]).toEqual([]);
      expect(secretsIn(manifests)).toEqual([]);
      const tree = await readCommandTree();
      const started = manifests
        .filter((manifest) => nameOf(manifest).includes('/attic-'))
        .flatMap(argumentsOf);
      expect(started.length).toBeGreaterThanOrEqual(3);
      expect(started.flatMap((words) => commandIssue(tree, words) ?? [])).toEqual([]);
    });
  });
}

function release(name: string): string {
  return `apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: ${name}, namespace: cnpg-system }\n`;
}

function lockFile(): string {
  const entries = RELEASES.map((name) => {
    const sha256 = createHash('sha256').update(release(name)).digest('hex');
    return `  ${name}:\n    version: 1.0.0\n    url: https://example.org/${name}\n    sha256: ${sha256}\n`;
  });
  return `manifests:\n${entries.join('')}`;
}

/** Secrets are made elsewhere: a stack names them, and has neither one nor a value of one. */
function secretsIn(manifests: readonly Manifest[]): readonly string[] {
  return manifests.flatMap((manifest) => {
    const whole = manifest.kind === 'Secret' ? [nameOf(manifest)] : [];
    const containers = podTemplate(manifest)?.['spec']?.['containers'] ?? [];
    const values = containers.flatMap((container) =>
      ((container['env'] ?? []) as unknown as readonly Readonly<Record<string, unknown>>[])
        .filter(
          ({ name, value }) =>
            /(?:SECRET|PASSWORD|TOKEN|ACCESS_KEY|ACCESS_KEY_ID)$/.test(String(name)) &&
            value !== undefined,
        )
        .map(({ name }) => `${nameOf(manifest)}: ${String(name)}`),
    );
    return [...whole, ...values];
  });
}

/** What each container of a workload is started with. */
function argumentsOf(manifest: Manifest): readonly (readonly string[])[] {
  const containers = podTemplate(manifest)?.['spec']?.['containers'] ?? [];
  return containers.map((container) => container['args'] as unknown as readonly string[]);
}
