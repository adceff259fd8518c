import { buildCommand } from '@stricli/core';
import type { TokenAlgorithm } from '@flywheel/cache';
import type { KeyFlags } from '../../../caches/keys.ts';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { keyFlags } from './flags.ts';

interface AddFlags extends KeyFlags {
  readonly algorithm: TokenAlgorithm;
  readonly verifyOnly?: boolean;
}

export const add = buildCommand<AddFlags, [], CliContext>({
  docs: {
    brief: 'Make a new key for tokens',
    fullDescription: describe(
      `
Makes a key that signs all new tokens; the keys before it still verify theirs. Where several servers
have copies of the folder, give it to all of them with --verify-only first, then rename the file.`,
      [
        ['./flywheel cache key add', 'Ed25519'],
        ['./flywheel cache key add --algorithm HS256', 'a secret, as Attic has it'],
        ['./flywheel cache key add --verify-only', 'signs when .verify is taken off its name'],
      ],
    ),
  },
  parameters: {
    flags: {
      algorithm: {
        kind: 'enum',
        values: ['EdDSA', 'HS256', 'RS256', 'ES256'],
        brief: 'How it signs',
        default: 'EdDSA',
      },
      verifyOnly: {
        kind: 'boolean',
        brief: 'It does not sign yet',
        withNegated: false,
        optional: true,
      },
      ...keyFlags,
    },
  },
  loader: lazily(async () => (await import('../../../caches/keys.ts')).runKeyAdd),
});
