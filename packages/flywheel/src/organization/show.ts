import { formatYaml } from '@flywheel/organization';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { readOrganization, validOrganization } from './read-organization.ts';
import type { FileFlags } from './read-organization.ts';

export interface ShowFlags extends OutputFlags, FileFlags {
  readonly environment?: string;
}

export async function runConfigShow(context: CliContext, flags: ShowFlags): Promise<void> {
  const output = createOutput(context, flags);
  const { organization } = validOrganization(
    await readOrganization(context, flags),
    flags.environment,
  );
  output.print(formatYaml(organization).trimEnd());
  output.result(organization);
}
