import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { describe } from '../help.ts';
import { audit } from './audit.ts';
import { configure } from './configure.ts';
import { create } from './create.ts';
import { exchange } from './exchange.ts';
import { gc } from './gc/index.ts';
import { importAttic } from './import-attic.ts';
import { info } from './info.ts';
import { key } from './key/index.ts';
import { list } from './list.ts';
import { pin } from './pin/index.ts';
import { list as paths } from './path/list.ts';
import { path } from './path/index.ts';
import { rebuild } from './rebuild.ts';
import { serve } from './serve.ts';
import { token } from './token/index.ts';
import { upstream } from './upstream/index.ts';
import { verify } from './verify.ts';

const routes = {
  serve,
  create,
  configure,
  list,
  info,
  pin,
  gc,
  path,
  paths,
  upstream,
  verify,
  rebuild,
  importAttic,
  token,
  key,
  exchange,
  audit,
};

export const cache = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    // `cache path list` by a shorter name.
    hideRoute: { paths: true },
    brief: 'Run the binary cache, and manage caches and tokens',
    fullDescription: describe('Runs the binary cache server, and manages its caches and tokens.', [
      ['./flywheel cache serve', 'run the server'],
      ['./flywheel cache create team --public', 'make a cache that everybody may read'],
      ['./flywheel cache info team', 'what to put into nix.conf'],
      [
        './flywheel cache token create --sub ci --validity 30d --push team',
        'a token for a machine that pushes',
      ],
    ]),
  },
});
