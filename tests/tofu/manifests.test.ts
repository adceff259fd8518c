import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  isMissing,
  kubernetesOpenApi,
  nameOf,
  podIssues,
  SchemaSet,
  setIssues,
  startTofu,
} from '@flywheel/testing';
import type { Manifest, Tofu } from '@flywheel/testing';
import { examplesOf, MODULE_NAMES, MODULES } from './module-folders.ts';
import { plannedManifests } from './planned-manifests.ts';

/** A folder with the definitions of the custom resources, as their projects publish them. */
const CRDS = process.env['FLYWHEEL_CRDS'];
const NO_CRDS = 'FLYWHEEL_CRDS names no folder with custom resource definitions';
/** Kinds whose definitions are not among those. */
const UNCHECKED = ['gateway.networking.k8s.io/v1/HTTPRoute'];

const [foundTofu, openApi] = [await startTofu(MODULES), await kubernetesOpenApi()];

describe('manifests', () => {
  if (isMissing(foundTofu)) test('all of it', ({ skip }) => skip(foundTofu.missing));
  else if (typeof openApi !== 'string') test('all of it', ({ skip }) => skip(openApi.missing));
  else declare(foundTofu, openApi);
});

function declare(tofu: Tofu, swagger: string): void {
  afterAll(() => tofu[Symbol.asyncDispose]());

  const schemas = new SchemaSet();
  schemas.addOpenApi(swagger);
  const ours = new Map<string, readonly Manifest[]>();
  if (CRDS !== undefined) {
    for (const file of globSync('*.yaml', { cwd: CRDS })) {
      schemas.addDefinitions(readFileSync(join(CRDS, file), 'utf8'));
    }
  }

  const examples = MODULE_NAMES.flatMap((module) =>
    examplesOf(module).map((example) => ({ module, example })),
  );

  describe.each(examples)('$module with $example', ({ module, example }) => {
    const manifests = async (): Promise<readonly Manifest[]> => {
      const key = `${module}/${example}`;
      const known = ours.get(key);
      if (known !== undefined) return known;
      const planned = await plannedManifests(tofu, module, [`-var-file=examples/${example}`]);
      ours.set(key, planned);
      return planned;
    };

    test('Kubernetes knows every field', async () => {
      const issues = (await manifests()).flatMap((manifest) =>
        (schemas.issues(manifest) ?? []).map((issue) => `${nameOf(manifest)}: ${issue}`),
      );
      expect(issues).toEqual([]);
    });

    test('each kind has a schema', async ({ skip }) => {
      if (CRDS === undefined) return skip(NO_CRDS);
      const unknown = (await manifests())
        .filter((manifest) => schemas.issues(manifest) === undefined)
        .map(({ apiVersion, kind }) => `${apiVersion}/${kind}`);
      expect(unknown.filter((kind) => !UNCHECKED.includes(kind))).toEqual([]);
    });

    test('pods and objects keep to the rules', async () => {
      const all = await manifests();
      expect([...all.flatMap(podIssues), ...setIssues(all)]).toEqual([]);
    });
  });

  test('the published manifest of CloudNativePG becomes one resource an object', async ({
    skip,
  }) => {
    const file = CRDS === undefined ? undefined : resolve(CRDS, 'cnpg-1.30.0.yaml');
    if (file === undefined || !existsSync(file)) return skip(NO_CRDS);
    const text = readFileSync(file, 'utf8');
    const sha256 = createHash('sha256').update(text).digest('hex');
    const values = JSON.stringify({ operator: { file, sha256 } });

    const planned = await plannedManifests(tofu, 'cnpg-operator', [`-var=manifests=${values}`]);

    const kinds = [...text.matchAll(/^kind: (\w+)/gm)].map(([, kind]) => kind);
    expect(planned.map(({ kind }) => kind).toSorted()).toEqual(kinds.toSorted());
    expect(planned).toHaveLength(26);
    const wrong = planned.flatMap((manifest) =>
      (schemas.issues(manifest) ?? []).map((issue) => `${nameOf(manifest)}: ${issue}`),
    );
    expect(wrong).toEqual([]);
  });
}
