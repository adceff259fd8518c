// What lies in a state, without what is secret.
import { z } from 'zod';
import { flatten, sensitiveTexts } from '../plan/fields.ts';
import { manifestFields } from '../plan/planned-change.ts';
import { marks } from '../plan/show-json.ts';
import { formatObject, isManifest, manifestIn, objectIn } from '../plan/kubernetes-object.ts';
import type { OpenStack } from '../stacks/open-stack.ts';
import { readTofu } from '../tofu/run-tofu.ts';

export interface StateObject {
  readonly address: string;
  readonly type: string;
  readonly label: string;
  /** Its fields by path, as JSON. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface Output {
  readonly name: string;
  readonly sensitive: boolean;
  /** Missing when it is sensitive. */
  readonly value?: unknown;
}

interface StateModule {
  readonly resources?: readonly z.infer<typeof stateResource>[] | undefined;
  readonly child_modules?: readonly StateModule[] | undefined;
}

const stateResource = z.object({
  address: z.string(),
  mode: z.string(),
  type: z.string(),
  values: z.record(z.string(), z.unknown()).default({}),
  sensitive_values: marks.default(false),
});

const stateModule: z.ZodType<StateModule> = z.lazy(() =>
  z.object({
    resources: z.array(stateResource).optional(),
    child_modules: z.array(stateModule).optional(),
  }),
);

const stateDocument = z.object({
  values: z
    .object({
      root_module: stateModule.optional(),
      outputs: z
        .record(z.string(), z.object({ sensitive: z.boolean(), value: z.unknown() }))
        .optional(),
    })
    .optional(),
});

export async function stateObjects({ tofu }: OpenStack): Promise<readonly StateObject[]> {
  const document = stateDocument.parse(await readTofu(tofu, ['show', '-json']));
  const { root_module: root, outputs } = document.values ?? {};
  const resources = resourcesOf(root ?? {});
  const texts = new Set([
    ...resources.flatMap((resource) => [
      ...sensitiveTexts(resource.values, resource.sensitive_values),
    ]),
    ...Object.values(outputs ?? {}).flatMap(({ value, sensitive }) => [
      ...sensitiveTexts(value, sensitive),
    ]),
  ]);
  return resources
    .filter(({ mode }) => mode === 'managed')
    .map(({ address, type, values, sensitive_values: sensitive }) => {
      const object = isManifest(type) ? objectIn(values) : undefined;
      const manifest = isManifest(type) ? manifestIn(values) : undefined;
      const fields =
        manifest === undefined ? flatten(values, { sensitive, texts }) : manifestFields(manifest);
      return {
        address,
        type,
        label: object === undefined ? address : formatObject(object),
        fields: Object.fromEntries(fields),
      };
    });
}

function resourcesOf(module: StateModule): readonly z.infer<typeof stateResource>[] {
  return [...(module.resources ?? []), ...(module.child_modules ?? []).flatMap(resourcesOf)];
}

const outputDocument = z.record(
  z.string(),
  z.object({ sensitive: z.boolean(), value: z.unknown() }),
);

export async function stateOutputs({ tofu }: OpenStack): Promise<readonly Output[]> {
  const document = outputDocument.parse(await readTofu(tofu, ['output', '-json']));
  return Object.entries(document).map(([name, { sensitive, value }]) =>
    sensitive ? { name, sensitive } : { name, sensitive, value },
  );
}

/** The whole state, decrypted, with all that is in it: for a file that only its owner reads. */
export async function pullState({ tofu }: OpenStack): Promise<unknown> {
  return readTofu(tofu, ['state', 'pull']);
}
