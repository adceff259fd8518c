import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { describe } from '../help.ts';
import { list } from './list.ts';
import { rotate } from './rotate.ts';
import { sync } from './sync.ts';

const routes = { list, sync, rotate };

export const secrets = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'The Kubernetes Secrets that the deployment needs: make, give, rotate them',
    fullDescription: describe(
      `
OpenTofu only knows the names of Secrets, so that none is in its state. These commands make them,
write what is given, and replace them.`,
      [
        ['./flywheel secrets list', 'what is needed, and what is there'],
        ['./flywheel secrets sync', 'make what is missing'],
        ['./flywheel secrets rotate cacheKeys', 'a new key for tokens'],
      ],
    ),
  },
});
