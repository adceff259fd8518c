import { rename, stat, writeFile } from 'node:fs/promises';
import { migrateText } from '@flywheel/organization';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { nameOf, organizationPath, readConfigFile } from './read-organization.ts';

export interface MigrateFlags extends OutputFlags {
  readonly file?: string;
  readonly check?: boolean;
}

export async function runConfigMigrate(context: CliContext, flags: MigrateFlags): Promise<void> {
  const output = createOutput(context, flags);
  const path = organizationPath(context, flags);
  const file = nameOf(context, path);
  const { text, steps } = migrateText(await readConfigFile(context, path));
  for (const { from, to, summary } of steps) output.print(`${from} → ${to}: ${summary}`);
  if (steps.length === 0) output.print(`${file} is current: there is nothing to migrate.`);
  else if (flags.check === true) context.process.exitCode = EXIT_FAILED;
  else await replaceFile(path, text);
  output.result({ file, current: steps.length === 0, steps });
}

/** All of the new text or all of the old one, whatever happens meanwhile. */
async function replaceFile(path: string, text: string): Promise<void> {
  const { mode } = await stat(path);
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}
