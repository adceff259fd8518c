import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { list } from './list.ts';
import { remove } from './delete.ts';
import { show } from './show.ts';

const routes = { list, show, delete: remove };

export const path = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'List, show and delete the store paths of a cache',
    fullDescription: describe('Lists, shows and deletes the store paths of a cache.', [
      ['./flywheel cache path list team python', 'those with python in their names'],
      ['./flywheel cache path delete team /nix/store/q80xb0kd…-secrets', 'it should not be there'],
    ]),
  },
});
