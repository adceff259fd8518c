// The command tree. A command is a file here, a group of commands is a folder with an index.ts of
// its own; both hold only flags and help, and load what they run when they run it.
import { buildRouteMap } from '@stricli/core';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { describe } from './help.ts';

/** Only what a line begins with is read: all of them took a seventh of the time of a start (2026-11). */
const load = {
  up: async () => (await import('./up.ts')).up,
  cache: async () => (await import('./cache/index.ts')).cache,
  push: async () => (await import('./push.ts')).push,
  pull: async () => (await import('./pull.ts')).pull,
  config: async () => (await import('./config/index.ts')).config,
  bootstrap: async () => (await import('./bootstrap.ts')).bootstrap,
  plan: async () => (await import('./deploy/plan.ts')).plan,
  apply: async () => (await import('./deploy/apply.ts')).apply,
  destroy: async () => (await import('./deploy/destroy.ts')).destroy,
  output: async () => (await import('./deploy/output.ts')).output,
  unlock: async () => (await import('./deploy/unlock.ts')).unlock,
  state: async () => (await import('./deploy/state/index.ts')).state,
  secrets: async () => (await import('./secrets/index.ts')).secrets,
  vendor: async () => (await import('./vendor/index.ts')).vendor,
  doctor: async () => (await import('./doctor.ts')).doctor,
  test: async () => (await import('./test.ts')).test,
  version: async () => (await import('./version.ts')).version,
};

type Name = keyof typeof load;
export type Root = RouteMap<CliContext>;

/** The tree as a line that begins with `word` needs it: that command, or all when it is none. */
export async function loadRoot(word = ''): Promise<Root> {
  const all = Object.keys(load) as Name[];
  const names = all.filter((name) => name === word);
  const routes = await Promise.all(
    (names.length > 0 ? names : all).map(async (name) => [name, await load[name]()] as const),
  );
  return buildRouteMap<string, CliContext>({ routes: Object.fromEntries(routes), docs });
}

const docs = {
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
};
