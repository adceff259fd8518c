import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import type { VendorFlags } from '../../vendor/vendor-options.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { vendorFlags } from './flags.ts';

export const list = buildCommand<OutputFlags & VendorFlags, [], CliContext>({
  docs: {
    brief: 'Show the pinned manifests, and which of them are on this machine',
    fullDescription: describe(
      `
Shows each manifest of the lock file with its version and state: fetched, not fetched, not pinned
(it has no digest yet), or changed on this disk. Asks nobody.`,
      [['./flywheel vendor list', 'what is pinned']],
    ),
  },
  parameters: { flags: { ...vendorFlags, ...outputFlags } },
  loader: lazily(async () => (await import('../../vendor/list.ts')).runVendorList),
});
