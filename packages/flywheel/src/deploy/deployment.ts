import { dirname, join, resolve } from 'node:path';
import {
  findStack,
  findTofu,
  gitlabBackend,
  manifestsFor,
  orderStacks,
  providerLockFile,
  readStacks,
} from '@flywheel/deploy';
import type { Backend, Stack, StackSite } from '@flywheel/deploy';
import type { Organization } from '@flywheel/organization';
import type { CliContext } from '../context.ts';
import { oneEnvironment } from '../organization/one-environment.ts';
import type { EnvironmentFlags } from '../organization/one-environment.ts';
import { organizationPath } from '../organization/read-organization.ts';
import { findManifests } from './manifests.ts';

/** What every command about stacks takes. */
export interface DeployFlags extends EnvironmentFlags {
  readonly backend: 'gitlab' | 'local';
  readonly stacks?: string;
  readonly acceptState?: boolean;
}

/** The stacks of an environment. */
export interface Deployment {
  readonly environment: string;
  /** In the order in which they are applied. */
  readonly stacks: readonly Stack[];
  /** All that is needed to work on one of them. */
  readonly site: (stack: Stack) => Promise<StackSite>;
}

export async function openDeployment(context: CliContext, flags: DeployFlags): Promise<Deployment> {
  const { env } = context.process;
  const { name: environment, organization } = await oneEnvironment(context, flags);
  const folder =
    flags.stacks === undefined ? stacksFolder(context) : resolve(context.cwd, flags.stacks);
  const stacks = orderStacks(await readStacks(folder));
  return {
    environment,
    stacks,
    async site(stack) {
      const place = workFolder(context, flags, environment, stack);
      const manifests = await findManifests(context, manifestsFor(stack, organization));
      return {
        stack,
        environment,
        organization,
        manifests,
        backend: backendOf(flags, organization, `${environment}-${stack.name}`, env, place),
        root: dirname(folder),
        folder: place,
        lockFile: providerLockFile(dirname(organizationPath(context, flags)), stack),
        env,
        home: context.home,
        program: findTofu(env),
        signal: context.signal,
        acceptState: flags.acceptState ?? false,
      };
    },
  };
}

/** One stack of an environment, by its name. Throws `not-found`. */
export async function openSite(
  context: CliContext,
  flags: DeployFlags,
  name: string,
): Promise<StackSite> {
  const { stacks, site } = await openDeployment(context, flags);
  return site(findStack(stacks, name));
}

/** Where the stacks are that flywheel brings. */
export function stacksFolder(context: CliContext): string {
  return join(context.root, 'tofu/stacks');
}

function backendOf(
  { backend }: DeployFlags,
  organization: Organization,
  name: string,
  env: CliContext['process']['env'],
  place: string,
): Backend {
  if (backend === 'local') return { kind: 'local', name, file: join(place, 'state.tfstate') };
  return gitlabBackend(organization, name, env);
}

/** Beside the organization, so that plan and apply find it from wherever they are started. */
function workFolder(
  context: CliContext,
  flags: DeployFlags,
  environment: string,
  stack: Stack,
): string {
  const path = organizationPath(context, flags);
  const base = /[/\\]config[/\\][^/\\]+$/.test(path) ? dirname(dirname(path)) : dirname(path);
  const kind = flags.backend === 'local' ? 'local' : 'deploy';
  return join(base, '.flywheel', kind, environment, stack.name);
}
