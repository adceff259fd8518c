import { buildCommand } from '@stricli/core';
import { parseDuration } from '@flywheel/base';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import type { RotateFlags } from '../../secrets/rotate.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { environmentFlags, timeoutFlag } from './flags.ts';

export const rotate = buildCommand<RotateFlags, [string], CliContext>({
  docs: {
    brief: 'Replace the values of a Secret without an outage, or with a short one that you allow',
    fullDescription: describe(
      `
Replaces what sync has generated. cacheKeys: a new key is added, waits until every replica has it, then
signs; old ones go on verifying until you remove them, and nothing restarts. cacheStorage: a second
user of MinIO is made, pods are replaced, the old user is removed. cacheDatabase: CloudNativePG changes
the role, then pods are replaced. minioRoot: MinIO's servers stop together for some seconds, which
--allow-outage allows. An interrupted rotation goes on when it is run again.`,
      [
        ['./flywheel secrets rotate cacheStorage --dry-run', 'the steps, and which pods'],
        ['./flywheel secrets rotate cacheKeys', 'takes three minutes'],
        [
          './flywheel secrets rotate cacheKeys --remove key-20261123T070000Z-8eBvJ3.jwk',
          'when its tokens have expired',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      ...environmentFlags,
      dryRun: { kind: 'boolean', brief: 'Change nothing, say the steps', optional: true },
      remove: {
        kind: 'parsed',
        parse: String,
        placeholder: 'ENTRY',
        brief: 'Remove this key of tokens in place of a rotation',
        optional: true,
      },
      allowOutage: {
        kind: 'boolean',
        brief: 'Of minioRoot: let nobody pull or push for some seconds',
        optional: true,
      },
      wait: {
        kind: 'parsed',
        parse: parseDuration,
        placeholder: 'DURATION',
        brief: 'How long a new key of tokens waits until it signs',
        default: '150s',
      },
      timeout: timeoutFlag,
      ...outputFlags,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          brief: 'cacheKeys, cacheStorage, cacheDatabase or minioRoot',
          placeholder: 'NAME',
        },
      ],
    },
  },
  loader: lazily(async () => (await import('../../secrets/rotate.ts')).runSecretsRotate),
});
