// The command tree. A command is a file here, a group of commands is a folder with an index.ts of
// its own; both hold only flags and help, and load what they run when they run it.
import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { bootstrap } from './bootstrap.ts';
import { cache } from './cache/index.ts';
import { config } from './config/index.ts';
import { apply } from './deploy/apply.ts';
import { destroy } from './deploy/destroy.ts';
import { output } from './deploy/output.ts';
import { plan } from './deploy/plan.ts';
import { state } from './deploy/state/index.ts';
import { unlock } from './deploy/unlock.ts';
import { doctor } from './doctor.ts';
import { describe } from './help.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';
import { secrets } from './secrets/index.ts';
import { test } from './test.ts';
import { up } from './up.ts';
import { vendor } from './vendor/index.ts';
import { version } from './version.ts';

const routes = {
  up,
  cache,
  push,
  pull,
  config,
  bootstrap,
  plan,
  apply,
  destroy,
  output,
  unlock,
  state,
  secrets,
  vendor,
  doctor,
  test,
  version,
};

export const root = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'Glorious Flywheel: GitLab infrastructure that builds, caches and monitors itself',
    fullDescription: describe(
      `
Glorious Flywheel: GitLab infrastructure that builds, caches and monitors itself.

Each command explains itself with --help, prints JSON for scripts with --json, and ends with an
exit code of docs/reference/exit-codes.md.`,
      [
        ['./flywheel up', 'start everything here, and turn the wheel once'],
        ['./flywheel doctor', 'check that this machine has what is needed'],
        ['./flywheel test', 'run the tests that need nothing but Node'],
      ],
    ),
  },
});
