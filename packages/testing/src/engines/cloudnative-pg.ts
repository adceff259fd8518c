import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import { findGo, runGo } from './go-command.ts';
import { goModuleFolder } from './go-module.ts';
import type { Missing } from './missing.ts';

/** The version that `config/vendor.lock.yaml` pins: its manifest is applied as it was reviewed. */
export const OPERATOR = {
  name: 'cloudnative-pg',
  version: '1.30.0',
  manifest: 'releases/cnpg-1.30.0.yaml',
};
/** The newest version whose dependencies can all be had as modules of Go. */
export const PLUGIN = {
  name: 'plugin-barman-cloud',
  version: '0.14.0',
  manifest: 'manifest.yaml',
};

/** A program that manages others in a cluster, and the manifest that installs it. */
export interface OperatorBuild {
  readonly version: string;
  /** A static program, `manager` in the images that are published. */
  readonly program: string;
  readonly manifest: string;
}

/** CloudNativePG, which is built on first use (five minutes) and kept. */
export function cloudnativePg(): Promise<OperatorBuild | Missing> {
  return buildManager(OPERATOR);
}

/**
 * CloudNativePG's plugin for backups. Its manifest names the images of its developers' newest
 * state: a release names its own, which is what whoever applies it has to do.
 */
export function barmanPlugin(): Promise<OperatorBuild | Missing> {
  return buildManager(PLUGIN);
}

/** Where its source is, as Go names it. */
export function moduleOf({ name, version }: typeof OPERATOR): string {
  return `github.com/cloudnative-pg/${name}@v${version}`;
}

async function buildManager(of: typeof OPERATOR): Promise<OperatorBuild | Missing> {
  const go = await findGo();
  if (go === undefined) return { missing: `no Go to build ${of.name} with` };
  const folder = join(enginesFolder(), `${of.name}-${of.version}`);
  await buildOnce(folder, async (draft) => {
    const source = await goModuleFolder(go, moduleOf(of));
    const build = [go, 'build', '-buildvcs=false', '-trimpath', '-ldflags', '-s -w'];
    await runGo([...build, '-o', join(draft, 'manager'), './cmd/manager'], { cwd: source });
    await copyFile(join(source, of.manifest), join(draft, 'manifest.yaml'));
  });
  return {
    version: of.version,
    program: join(folder, 'manager'),
    manifest: join(folder, 'manifest.yaml'),
  };
}
