import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { list } from './list.ts';
import { pull } from './pull.ts';
import { show } from './show.ts';

const routes = { list, show, pull };

export const state = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'Look into the state of a stack',
    fullDescription: describe(
      'Shows what OpenTofu knows of the objects that a stack has made. Secrets are never printed.',
      [
        ['./flywheel state list attic', 'all objects'],
        ['./flywheel state show attic Service/flywheel-cache/attic', 'one of them'],
        ['./flywheel state pull attic --out attic.tfstate', 'the whole state, into a file'],
      ],
    ),
  },
});
