import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  customResources,
  isMissing,
  kubernetesOpenApi,
  nameOf,
  podIssues,
  podTemplate,
  setIssues,
  startTofu,
} from '@flywheel/testing';
import type { Manifest, SchemaSet, Tofu } from '@flywheel/testing';
import { commandIssue, readCommandTree } from '../../scripts/command-tree.ts';
import { examplesOf, MODULE_NAMES, MODULES } from './module-folders.ts';
import { plannedManifests } from './planned-manifests.ts';
import { readSchemas } from './read-schemas.ts';

const [foundTofu, openApi] = [await startTofu(MODULES), await kubernetesOpenApi()];
const resources = await customResources();

describe('manifests', () => {
  if (isMissing(foundTofu)) test('all of it', ({ skip }) => skip(foundTofu.missing));
  else if (typeof openApi !== 'string') test('all of it', ({ skip }) => skip(openApi.missing));
  else if (typeof resources !== 'string') test('all of it', ({ skip }) => skip(resources.missing));
  else declare(foundTofu, { schemas: readSchemas(openApi, resources), resources });
});

function declare(
  tofu: Tofu,
  { schemas, resources }: { readonly schemas: SchemaSet; readonly resources: string },
): void {
  afterAll(() => tofu[Symbol.asyncDispose]());

  const schemaIssues = (manifests: readonly Manifest[]): readonly string[] =>
    manifests.flatMap((manifest) =>
      (schemas.issues(manifest) ?? []).map((issue) => `${nameOf(manifest)}: ${issue}`),
    );

  // A plan takes a second or two, and several tests look at the same.
  const plans = new Map<string, Promise<readonly Manifest[]>>();
  const planOf = (module: string, example: string): Promise<readonly Manifest[]> => {
    const key = `${module}/${example}`;
    const plan =
      plans.get(key) ?? plannedManifests(tofu, module, [`-var-file=examples/${example}`]);
    plans.set(key, plan);
    return plan;
  };

  const examples = MODULE_NAMES.flatMap((module) =>
    examplesOf(module).map((example) => ({ module, example })),
  );

  describe.each(examples)('$module with $example', ({ module, example }) => {
    test('Kubernetes knows every field', async () => {
      expect(schemaIssues(await planOf(module, example))).toEqual([]);
    });

    test('each kind has a schema', async () => {
      const unknown = (await planOf(module, example))
        .filter((manifest) => schemas.issues(manifest) === undefined)
        .map(({ apiVersion, kind }) => `${apiVersion}/${kind}`);
      expect(unknown).toEqual([]);
    });

    test('pods and objects keep to the rules', async () => {
      const manifests = await planOf(module, example);
      expect([...manifests.flatMap(podIssues), ...setIssues(manifests)]).toEqual([]);
    });
  });

  test.each(['minimal.tfvars', 'full.tfvars'])(
    'the cache knows all arguments that it is started with: %s',
    async (example) => {
      const started = (await planOf('attic-cache', example)).flatMap(argumentsOf);
      expect(started).toHaveLength(3);
      const tree = await readCommandTree();
      expect(started.flatMap((words) => commandIssue(tree, words) ?? [])).toEqual([]);
    },
  );

  test('the published manifest of CloudNativePG becomes one resource an object', async () => {
    const file = resolve(resources, 'cnpg-1.30.0.yaml');
    const text = readFileSync(file, 'utf8');
    const sha256 = createHash('sha256').update(text).digest('hex');
    const values = JSON.stringify({ operator: { file, sha256 } });

    const planned = await plannedManifests(tofu, 'cnpg-operator', [`-var=manifests=${values}`]);

    expect(planned).toHaveLength(26);
    expect(planned.map(nameOf)).toContain('Deployment cnpg-system/cnpg-controller-manager');
    expect(schemaIssues(planned)).toEqual([]);
  });
}

/** What each container of a workload is started with. */
function argumentsOf(manifest: Manifest): readonly (readonly string[])[] {
  const containers = podTemplate(manifest)?.['spec']?.['containers'] ?? [];
  return containers.map((container) => container['args'] as unknown as readonly string[]);
}
