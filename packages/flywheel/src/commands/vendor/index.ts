import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { describe } from '../help.ts';
import { fetch } from './fetch.ts';
import { list } from './list.ts';
import { pin } from './pin.ts';

const routes = { list, fetch, pin };

export const vendor = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'Manifests that other projects publish, pinned by version and digest',
    fullDescription: describe(
      `
Operators are deployed from the manifests that their projects publish. config/vendor.lock.yaml pins
each by version and SHA-256; what differs is never applied.`,
      [
        ['./flywheel vendor list', 'what is pinned, and what is here'],
        ['./flywheel vendor fetch', 'fetch and check all of them'],
      ],
    ),
  },
});
