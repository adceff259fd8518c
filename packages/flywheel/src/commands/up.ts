import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { DEFAULT_LISTEN, parseListenAddress } from '../listen-address.ts';
import { outputFlags } from '../output/index.ts';
import type { UpFlags } from '../up/run.ts';
import { dataFlag } from './flags.ts';
import { describe } from './help.ts';
import { lazily } from './lazily.ts';

export const up = buildCommand<UpFlags, [], CliContext>({
  docs: {
    brief: 'Start everything on this machine, and turn the wheel once',
    fullDescription: describe(
      `
Starts the binary cache with its status page on this machine, makes the public cache "flywheel" in
it, and turns the wheel once: packs flywheel's own programs as Nix store paths (no Nix is needed),
pushes them through the cache's own HTTP API, pulls all of it back, and verifies the hash and the
signature of each path. A second start finds everything there and uploads nothing. Where Nix is
installed and the checkout has a flake, what that builds follows.

Then it keeps serving until Ctrl-C. All data is in one directory; the first start makes it, with the
signing key and an administrator's token that only you can read.`,
      [
        ['./flywheel up', 'on http://127.0.0.1:8080/'],
        ['./flywheel up --listen 127.0.0.1:9090', 'on another port'],
        ['./flywheel up --data /srv/flywheel', 'with another data directory'],
        ['./flywheel up --once --json', 'turn once and end, for scripts'],
      ],
    ),
  },
  parameters: {
    flags: {
      data: dataFlag,
      listen: {
        kind: 'parsed',
        parse: parseListenAddress,
        placeholder: 'HOST:PORT',
        brief: 'Where to listen; port 0 picks a free one',
        default: DEFAULT_LISTEN,
      },
      once: {
        kind: 'boolean',
        brief: 'End after the turn, with 1 when it failed',
        withNegated: false,
        optional: true,
      },
      flake: {
        kind: 'boolean',
        brief: "Where Nix is installed, feed what the checkout's flake builds as well",
        default: true,
      },
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../up/run.ts')).runUp),
});
