import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { add } from './add.ts';
import { list } from './list.ts';
import { remove, retire } from './retire.ts';

const routes = { list, add, retire, remove };

export const key = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'Manage the keys that sign tokens',
    fullDescription: describe(
      `
Manages the keys that sign tokens, one file a key. The last one by name that may sign does; all others
still verify. A server takes changes up by itself.`,
      [
        ['./flywheel cache key list', 'which there are'],
        ['./flywheel cache key add', 'a new one, which signs from now on'],
        ['./flywheel cache key remove KID', 'an old one, and with it all that it has signed'],
      ],
    ),
  },
});
