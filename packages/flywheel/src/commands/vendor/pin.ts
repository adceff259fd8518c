import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import type { VendorFlags } from '../../vendor/vendor-options.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { vendorFlags } from './flags.ts';

export const pin = buildCommand<OutputFlags & VendorFlags, [string], CliContext>({
  docs: {
    brief: 'Record the digest of what is published now in the lock file',
    fullDescription: describe(
      `
Fetches what is published for the version in the lock file, and writes its SHA-256 there, for a
version that was bumped or has no digest yet. Whoever runs it reads what was fetched, and commits the
lock file; from then on nothing else is taken for that version.`,
      [['./flywheel vendor pin plugin-barman-cloud', 'after a change of its version']],
    ),
  },
  parameters: {
    flags: { ...vendorFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: String, brief: 'Manifest in the lock file', placeholder: 'NAME' }],
    },
  },
  loader: lazily(async () => (await import('../../vendor/pin.ts')).runVendorPin),
});
