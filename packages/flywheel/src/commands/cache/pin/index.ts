import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { add } from './add.ts';
import { list } from './list.ts';
import { remove } from './remove.ts';

const routes = { add, list, remove };

export const pin = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'Keep paths under names, whatever their age',
    fullDescription: describe('Manages pins: names under which paths stay with their closures.', [
      ['./flywheel cache pin add team main /nix/store/…-site', 'keep what main is at'],
      ['./flywheel cache pin list team', 'who keeps what'],
      ['./flywheel cache pin remove team mr-12', 'let it go'],
    ]),
  },
});
