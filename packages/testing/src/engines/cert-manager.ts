import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import { findGo } from './go-command.ts';
import { goModuleFolder } from './go-module.ts';
import type { Missing } from './missing.ts';

const VERSION = '1.21.2';
const KINDS = ['certificates', 'issuers'];

/** The definitions of Certificate and Issuer as cert-manager publishes them. Not what answers them. */
export async function certManagerDefinitions(): Promise<string | Missing> {
  const folder = join(enginesFolder(), `cert-manager-definitions-${VERSION}`);
  const go = await findGo();
  if (go === undefined) return { missing: "no Go to fetch cert-manager's definitions with" };
  await buildOnce(folder, async (draft) => {
    const source = await goModuleFolder(go, `github.com/cert-manager/cert-manager@v${VERSION}`);
    const files = KINDS.map((kind) => join(source, 'deploy/crds', `cert-manager.io_${kind}.yaml`));
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    await writeFile(join(draft, 'definitions.yaml'), texts.join('\n'));
  });
  return readFile(join(folder, 'definitions.yaml'), 'utf8');
}
