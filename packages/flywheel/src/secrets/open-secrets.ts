import { randomInt } from 'node:crypto';
import { generateTokenKey } from '@flywheel/cache';
import type { TokenAlgorithm } from '@flywheel/cache';
import { neededSecrets } from '@flywheel/deploy';
import type { KubernetesClient, NeededSecret, SecretMaker } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { connectEnvironment } from '../organization/connect-environment.ts';
import { oneEnvironment } from '../organization/one-environment.ts';
import type { EnvironmentFlags, OneEnvironment } from '../organization/one-environment.ts';

export interface OpenSecrets {
  readonly environment: OneEnvironment;
  readonly cluster: KubernetesClient;
  readonly needed: readonly NeededSecret[];
  readonly make: SecretMaker;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** What commands about Secrets work with: those of one environment, and its cluster. */
export async function openSecrets(
  context: CliContext,
  flags: EnvironmentFlags,
): Promise<OpenSecrets> {
  const environment = await oneEnvironment(context, flags);
  const cluster = await connectEnvironment(context, environment);
  const { organization } = environment;
  return {
    environment,
    cluster,
    needed: neededSecrets(organization),
    make: secretMaker(organization.cache.keyAlgorithm, () => context.clock.now()),
  };
}

function secretMaker(algorithm: TokenAlgorithm, now: () => number): SecretMaker {
  return {
    tokenKey() {
      const text = generateTokenKey(algorithm);
      const { kid } = JSON.parse(text) as { readonly kid: string };
      // As `flywheel cache key add` names its files: by time, because the last one signs.
      const time = new Date(now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
      return { entry: `key-${time}-${kid.slice(0, 6)}.jwk`, text };
    },
    random: (length) => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join(''),
  };
}
