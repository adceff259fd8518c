import { FlywheelError } from '@flywheel/base';
import type { Organization } from '@flywheel/organization';
import type { CliContext } from '../context.ts';
import { readOrganization, validOrganization } from './read-organization.ts';
import type { FileFlags } from './read-organization.ts';

export interface EnvironmentFlags extends FileFlags {
  readonly environment?: string;
}

export interface OneEnvironment {
  readonly name: string;
  /** The only context that anything is ever read from or written to. */
  readonly clusterContext: string;
  readonly organization: Organization;
}

/** The organization in the environment that the flag or FLYWHEEL_ENVIRONMENT names, or the only one. */
export async function oneEnvironment(
  context: CliContext,
  flags: EnvironmentFlags,
): Promise<OneEnvironment> {
  const file = await readOrganization(context, flags);
  validOrganization(file);
  const names = [...file.environments.keys()];
  const named = flags.environment ?? (context.process.env['FLYWHEEL_ENVIRONMENT'] || undefined);
  const name = named ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    throw new FlywheelError('invalid-input', `${file.file} has several environments`, {
      details: { hint: `Name one: --environment ${names.join(' or --environment ')}.` },
    });
  }
  const { organization } = validOrganization(file, name);
  const clusterContext = organization?.environments[name]?.context;
  if (organization === undefined || clusterContext === undefined) {
    throw new FlywheelError('internal', `a valid file lacks the environment "${name}"`);
  }
  return { name, clusterContext, organization };
}
