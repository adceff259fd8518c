import { FlywheelError, formatDuration } from '@flywheel/base';
import {
  removeTokenKey,
  rotateBucketUser,
  rotateDatabasePassword,
  rotateMinioRoot,
  rotateTokenKeys,
  workloadsWith,
} from '@flywheel/deploy';
import type { NeededSecret, Rotation } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import type { EnvironmentFlags } from '../organization/one-environment.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { openSecrets } from './open-secrets.ts';
import type { OpenSecrets } from './open-secrets.ts';

export interface RotateFlags extends OutputFlags, EnvironmentFlags {
  readonly dryRun?: boolean;
  readonly remove?: string;
  readonly allowOutage?: boolean;
  /** Milliseconds until a new key of tokens may sign. */
  readonly wait: number;
  /** Milliseconds that new pods, Jobs and the database may take. */
  readonly timeout: number;
}

/** What can be rotated: everything that `sync` can make. */
type Rotatable = 'cacheKeys' | 'cacheStorage' | 'cacheDatabase' | 'minioRoot';

const STEPS: Readonly<Record<Rotatable, readonly string[]>> = {
  cacheKeys: [
    'a new key is added, which verifies and does not sign',
    'when every replica has it, it signs; old keys go on verifying',
  ],
  cacheStorage: [
    'a second user of MinIO is made with the same rights',
    'the Secret changes; the old user stays good',
    'pods are replaced, a few at a time',
    'the old user is removed',
  ],
  cacheDatabase: [
    'the Secret changes, and CloudNativePG changes the role',
    'pods are replaced, a few at a time; open connections stay open until then',
  ],
  minioRoot: [
    'the Secret changes',
    "MinIO's pods are replaced all at once: for some seconds nobody can pull or push",
  ],
};

export async function runSecretsRotate(
  context: CliContext,
  flags: RotateFlags,
  name: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const opened = await openSecrets(context, flags);
  const secret = findSecret(opened.needed, name);
  const role = rotatable(secret);
  if (flags.remove !== undefined && role !== 'cacheKeys') {
    throw new FlywheelError('invalid-input', '--remove is for keys of tokens only');
  }
  if (flags.dryRun === true) {
    await showSteps(output, opened, secret, role);
    return;
  }
  if (role === 'minioRoot' && flags.allowOutage !== true) throw outage(secret);
  const rotation: Rotation = {
    cluster: opened.cluster,
    secret,
    make: opened.make,
    now: () => context.clock.now(),
    timeoutMs: flags.timeout,
    signal: context.signal,
    onStep: (step) => output.note(`${step} …`),
  };
  if (flags.remove !== undefined) {
    await removeTokenKey(rotation, flags.remove);
    output.print(`Removed ${flags.remove}: the tokens that it has signed are worthless.`);
    output.result({ role, secret: secret.name, removed: flags.remove });
    return;
  }
  const result = role === 'cacheKeys' ? await rotateKeys(output, rotation, flags) : {};
  if (role === 'cacheStorage') await rotateBucketUser(rotation);
  if (role === 'cacheDatabase') await rotateDatabasePassword(rotation);
  if (role === 'minioRoot') {
    const outageMs = await rotateMinioRoot(rotation);
    output.print(`Rotated ${secret.name}. MinIO was away for ${formatDuration(outageMs)}.`);
    output.result({ role, secret: secret.name, outageMs });
    return;
  }
  output.print(`Rotated ${secret.name}.`);
  output.result({ role, secret: secret.name, ...result });
}

async function rotateKeys(
  output: Output,
  rotation: Rotation,
  { wait }: RotateFlags,
): Promise<object> {
  const { signs, verify } = await rotateTokenKeys(rotation, wait);
  output.print(`${signs} signs.`);
  for (const entry of verify) {
    output.print(`${entry} verifies. When its tokens have expired: --remove ${entry}`);
  }
  return { signs, verify };
}

async function showSteps(
  output: Output,
  { cluster }: OpenSecrets,
  secret: NeededSecret,
  role: Rotatable,
): Promise<void> {
  const rolls =
    role === 'cacheKeys' ? [] : await workloadsWith(cluster, secret.namespace, secret.name);
  const names = rolls.map((workload) => `${workload.kind} ${workload.name}`);
  for (const [index, step] of STEPS[role].entries()) output.print(`${index + 1}. ${step}`);
  output.print(names.length === 0 ? '\nNo pod is replaced.' : `\nReplaced: ${names.join(', ')}.`);
  output.result({ role, secret: secret.name, steps: STEPS[role], replaced: names });
}

/** By its key in organization.yaml, or by the name of the Secret. */
function findSecret(needed: readonly NeededSecret[], name: string): NeededSecret {
  const found = needed.find((secret) => secret.role === name || secret.name === name);
  if (found !== undefined) return found;
  throw new FlywheelError('not-found', `this environment needs no secret "${name}"`, {
    details: { hint: `There are: ${needed.map(({ role }) => role).join(', ')}.` },
  });
}

function rotatable({ role, name, fill }: NeededSecret): Rotatable {
  if (fill !== undefined && role in STEPS) return role as Rotatable;
  throw new FlywheelError('unsupported', `the values of ${name} come from outside`, {
    details: {
      hint:
        'Make new ones there, beside the old ones, give them to ./flywheel secrets sync --restart,\n' +
        'and only then take the old ones away.',
    },
  });
}

function outage({ name }: NeededSecret): FlywheelError {
  return new FlywheelError('invalid-input', `to rotate ${name}, MinIO has to stop`, {
    details: {
      hint:
        'Its servers trust each other by it, so they are replaced all at once: about as long as one of them\n' +
        'takes to start, nobody can pull or push. Nothing is lost. If that is fine now: --allow-outage.',
    },
  });
}
