import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { moduleOf, OPERATOR, PLUGIN } from './cloudnative-pg.ts';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import { findGo } from './go-command.ts';
import { goModuleFolder } from './go-module.ts';
import type { Missing } from './missing.ts';

/** CloudNativePG's whole release, as a file of that folder. */
export const CNPG_RELEASE = basename(OPERATOR.manifest);

/** Changes with what is below. */
const FOLDER = 'custom-resources-1';
/** Where projects publish the definitions of the kinds that our modules use. */
const PUBLISHED = {
  // With all else that installs it.
  [moduleOf(OPERATOR)]: [OPERATOR.manifest],
  [moduleOf(PLUGIN)]: ['config/crd/bases/barmancloud.cnpg.io_objectstores.yaml'],
  'github.com/prometheus-operator/prometheus-operator@v0.85.0': [
    'example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml',
    'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml',
    'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  ],
  'sigs.k8s.io/gateway-api@v1.6.0': [
    'config/crd/standard/gateway.networking.k8s.io_gatewayclasses.yaml',
    'config/crd/standard/gateway.networking.k8s.io_gateways.yaml',
    'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml',
  ],
};

/**
 * A folder with the definitions of custom resources as their projects publish them: a file a kind,
 * `<group>_<plural>.yaml`, and CloudNativePG's whole release. Fetched as modules of Go on first use and kept.
 */
export async function customResources(): Promise<string | Missing> {
  const go = await findGo();
  if (go === undefined)
    return { missing: 'no Go to fetch the definitions of custom resources with' };
  return buildOnce(join(enginesFolder(), FOLDER), async (draft) => {
    for (const [module, files] of Object.entries(PUBLISHED)) {
      const source = await goModuleFolder(go, module);
      for (const file of files) await copyFile(join(source, file), join(draft, basename(file)));
    }
  });
}
