import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import { findGo } from './go-command.ts';
import { goModuleFolder } from './go-module.ts';
import { KUBERNETES_VERSION } from './kubernetes/version.ts';
import type { Missing } from './missing.ts';

/** The schemas of Kubernetes' own kinds, as its sources publish them (`api/openapi-spec`). */
export async function kubernetesOpenApi(): Promise<string | Missing> {
  const folder = join(enginesFolder(), `kubernetes-openapi-${KUBERNETES_VERSION}`);
  const go = await findGo();
  if (go === undefined) return { missing: "no Go to fetch Kubernetes' schemas with" };
  await buildOnce(folder, async (draft) => {
    const source = await goModuleFolder(go, `k8s.io/kubernetes@v${KUBERNETES_VERSION}`);
    await copyFile(join(source, 'api/openapi-spec/swagger.json'), join(draft, 'swagger.json'));
  });
  return readFile(join(folder, 'swagger.json'), 'utf8');
}
