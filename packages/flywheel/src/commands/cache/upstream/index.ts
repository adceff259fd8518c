import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { add } from './add.ts';
import { list } from './list.ts';
import { remove } from './remove.ts';

const routes = { list, add, remove };

export const upstream = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'Say from where a cache takes what it lacks',
    fullDescription: describe('Manages the upstream caches of a cache.', [
      ['./flywheel cache upstream list team', 'which there are'],
      ['./flywheel cache upstream add team https://cache.example.org/main main:k3y…=', 'one more'],
    ]),
  },
});
