import { buildCommand } from '@stricli/core';
import type { PathShowFlags } from '../../../caches/path-show.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { cacheName } from '../name.ts';

export const show = buildCommand<PathShowFlags, [string, string], CliContext>({
  docs: {
    brief: 'Show what a cache says of a store path',
    fullDescription: describe(
      `
Shows sizes, signatures and references of a store path, as Nix gets to see them. Asking counts as use.`,
      [['./flywheel cache path show team /nix/store/q80xb0kd…-bash-5.3', 'one path']],
    ),
  },
  parameters: {
    flags: { ...serverFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [
        cacheName,
        { parse: String, placeholder: 'PATH', brief: 'Store path, or its hash' },
      ],
    },
  },
  loader: lazily(async () => (await import('../../../caches/path-show.ts')).runPathShow),
});
