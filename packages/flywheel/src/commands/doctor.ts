import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { DoctorFlags } from '../doctor/run.ts';
import { outputFlags } from '../output/index.ts';
import { describe } from './help.ts';
import { lazily } from './lazily.ts';
import { parsePort } from './parsers.ts';
import { environmentFlags } from './secrets/flags.ts';

export const doctor = buildCommand<DoctorFlags, [], CliContext>({
  docs: {
    brief: 'Check that this machine, or a cluster, has what is needed, and say how to get the rest',
    fullDescription: describe(
      `
Checks the installation, the data directory, the listen port, Nix and git. Each line is ✔ (good),
✘ (needed, and missing or broken) or – (optional, and not there); the last two say what to do.
Ends with 1 when something needed fails.

With --cluster, the cluster of an environment is checked in place of this machine: version, namespaces,
permissions, storage class, ingress, metrics, definitions, registries, Secrets, locks of providers.
Nothing is changed.`,
      [
        ['./flywheel doctor', 'check with the defaults'],
        ['./flywheel doctor --data /srv/flywheel', 'check another data directory'],
        ['./flywheel doctor --cluster', 'check the cluster of the only environment'],
        ['./flywheel doctor --json', 'the same, for scripts'],
      ],
    ),
  },
  parameters: {
    flags: {
      data: {
        kind: 'parsed',
        parse: String,
        placeholder: 'DIR',
        brief: 'Data directory [default = $XDG_DATA_HOME/flywheel]',
        optional: true,
      },
      port: {
        kind: 'parsed',
        parse: parsePort,
        placeholder: 'PORT',
        brief: 'Port that the cache listens on',
        default: '8080',
      },
      cluster: { kind: 'boolean', brief: 'Check the cluster of an environment', optional: true },
      ...environmentFlags,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../doctor/run.ts')).runDoctor),
});
