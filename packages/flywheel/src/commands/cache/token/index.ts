import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { create } from './create.ts';
import { list } from './list.ts';
import { revoke } from './revoke.ts';
import { show } from './show.ts';

const routes = { create, list, show, revoke };

export const token = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  // `cache token --sub …` makes one, as it always did.
  defaultCommand: 'create',
  docs: {
    brief: 'Make, list and revoke tokens',
    fullDescription: describe('Makes, lists and revokes the tokens that say who may do what.', [
      ['./flywheel cache token create --sub ci --validity 30d --push team', 'make one'],
      ['./flywheel cache token list', 'which there are'],
      ['./flywheel cache token revoke ID', 'one counts no more'],
    ]),
  },
});
