import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import { findGo, runGo } from './go-command.ts';
import type { Missing } from './missing.ts';

export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** Path and version of the module's command, as `go install` takes it. */
  readonly module: string;
}

/** Where the program is, which is built with Go on first use and kept. */
export async function goInstall({ name, version, module }: GoProgram): Promise<string | Missing> {
  const folder = join(enginesFolder(), `${name}-${version}`);
  const go = await findGo();
  if (go === undefined) return { missing: `no Go to build ${name} with` };
  await buildOnce(folder, async (draft) => {
    await runGo([go, 'install', '-ldflags', '-s -w', module], {
      env: { GOBIN: join(draft, 'bin') },
    });
    await copyFile(join(draft, 'bin', name), join(draft, name));
    await rm(join(draft, 'bin'), { recursive: true });
  });
  return join(folder, name);
}
