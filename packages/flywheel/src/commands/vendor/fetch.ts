import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import type { VendorFlags } from '../../vendor/vendor-options.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { vendorFlags } from './flags.ts';

export const fetch = buildCommand<OutputFlags & VendorFlags, string[], CliContext>({
  docs: {
    brief: 'Fetch pinned manifests, and check their digests',
    fullDescription: describe(
      `
Fetches the manifests of the lock file into $XDG_CACHE_HOME/flywheel/vendor, unless they are there.
Every call compares their SHA-256; what differs is not kept, and the command ends with both digests.
plan and apply do the same by themselves.`,
      [
        ['./flywheel vendor fetch', 'all of them'],
        ['./flywheel vendor fetch cloudnative-pg', 'one'],
        ['./flywheel vendor fetch --mirror /srv/vendor', 'without network'],
      ],
    ),
  },
  parameters: {
    flags: { ...vendorFlags, ...outputFlags },
    positional: {
      kind: 'array',
      parameter: { parse: String, brief: 'Manifests [default = all]', placeholder: 'NAME' },
    },
  },
  loader: lazily(async () => (await import('../../vendor/fetch.ts')).runVendorFetch),
});
