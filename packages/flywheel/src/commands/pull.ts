import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { outputFlags } from '../output/index.ts';
import type { PullFlags } from '../transfer/pull.ts';
import { parseCount, serverFlags } from './flags.ts';
import { describe } from './help.ts';
import { lazily } from './lazily.ts';

export const pull = buildCommand<PullFlags, readonly string[], CliContext>({
  docs: {
    brief: 'Fetch store paths from a cache and verify them, without Nix',
    customUsage: ['--to DIR CACHE STOREPATH...', '--verify-only CACHE STOREPATH...'],
    fullDescription: describe(
      `
Fetches store paths with everything they refer to, and verifies the hash of each NAR and a signature
of a trusted key. Unpacks below DIR/nix/store, or with --verify-only nowhere. What is there already is
left alone.

This does not make Nix know the paths: Nix fetches for itself (see ./flywheel cache info).`,
      [
        ['./flywheel pull team /nix/store/…-hello --to /tmp/image', 'into a folder'],
        ['./flywheel pull team /nix/store/…-hello --verify-only', 'is it there, and intact?'],
      ],
    ),
  },
  parameters: {
    flags: {
      to: {
        kind: 'parsed',
        parse: String,
        placeholder: 'DIR',
        brief: 'Unpack below DIR/nix/store',
        optional: true,
      },
      verifyOnly: {
        kind: 'boolean',
        brief: 'Verify everything, keep nothing',
        withNegated: false,
        optional: true,
      },
      trustedKey: {
        kind: 'parsed',
        parse: String,
        placeholder: 'KEY',
        brief:
          'Public key (name:base64) to trust; may be given several times [default = the one that the cache names]',
        variadic: true,
        optional: true,
      },
      jobs: {
        kind: 'parsed',
        parse: parseCount(1, 64),
        placeholder: 'N',
        brief: 'How many paths to fetch at once',
        default: '4',
      },
      ...serverFlags,
      ...outputFlags,
    },
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        placeholder: 'CACHE STOREPATH',
        brief: 'The cache, then store paths',
      },
      minimum: 2,
    },
  },
  loader: lazily(async () => (await import('../transfer/pull.ts')).runPull),
});
