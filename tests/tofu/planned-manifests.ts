import { parse } from 'yaml';
import { outputOf } from '@flywheel/testing';
import type { Manifest, Tofu } from '@flywheel/testing';

interface PlannedModule {
  readonly resources?: readonly {
    readonly type: string;
    readonly values: { readonly yaml_body?: string };
  }[];
  readonly child_modules?: readonly PlannedModule[];
}

/** The objects that a module would apply, with the values of one of its examples or of arguments. */
export async function plannedManifests(
  tofu: Tofu,
  module: string,
  values: readonly string[],
): Promise<readonly Manifest[]> {
  const plan = ['plan', '-input=false', '-lock=false', '-out=example.plan', ...values];
  outputOf(await tofu.run(module, ['init', '-backend=false']), `tofu init of ${module}`);
  outputOf(await tofu.run(module, plan), `tofu plan of ${module}`);
  return manifestsInPlan(
    outputOf(await tofu.run(module, ['show', '-json', 'example.plan']), 'tofu show'),
  );
}

/** The objects in what \`tofu show -json\` prints of a plan. */
export function manifestsInPlan(shown: string): readonly Manifest[] {
  const { planned_values: planned } = JSON.parse(shown) as {
    readonly planned_values: { readonly root_module: PlannedModule };
  };
  return manifestsOf(planned.root_module);
}

function manifestsOf(module: PlannedModule): readonly Manifest[] {
  const own = (module.resources ?? [])
    .filter(({ type }) => type === 'kubectl_manifest')
    .map(({ values }) => parse(values.yaml_body ?? '') as Manifest);
  return [...own, ...(module.child_modules ?? []).flatMap(manifestsOf)];
}
