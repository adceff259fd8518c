import { join } from 'node:path';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import { findGo, runGo } from './go-command.ts';
import type { Missing } from './missing.ts';

export interface GoModuleProgram {
  readonly name: string;
  readonly version: string;
  /** The module, with its version. */
  readonly module: string;
  /** The package of the command within the module. */
  readonly command: string;
}

/**
 * Where the program is, which is built on first use inside its own module and kept: `go install`
 * refuses modules that replace others.
 */
export async function goBuild(program: GoModuleProgram): Promise<string | Missing> {
  const { name, version, module, command } = program;
  const folder = join(enginesFolder(), `${name}-${version}`);
  const go = await findGo();
  if (go === undefined) return { missing: `no Go to build ${name} with` };
  await buildOnce(folder, async (draft) => {
    const source = await goModuleFolder(go, module);
    const build = [go, 'build', '-buildvcs=false', '-trimpath', '-ldflags', '-s -w'];
    await runGo([...build, '-o', join(draft, name), command], { cwd: source });
  });
  return join(folder, name);
}

/** The folder with the sources of a module and version, in Go's own cache. */
export async function goModuleFolder(go: string, module: string): Promise<string> {
  const answer = JSON.parse(await runGo([go, 'mod', 'download', '-json', module])) as {
    readonly Dir: string;
  };
  return answer.Dir;
}
