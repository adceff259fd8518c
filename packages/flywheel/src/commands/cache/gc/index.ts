import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { history } from './history.ts';
import { run } from './run.ts';

const routes = { run, history };

/** Without a further word it runs: `cache gc --dry-run`. */
export const gc = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  defaultCommand: 'run',
  docs: {
    brief: 'Remove what caches do not keep any more',
    fullDescription: describe('Removes what caches do not keep any more, or shows what was done.', [
      ['./flywheel cache gc --dry-run', 'what would go, and how much of it'],
      ['./flywheel cache gc --wait', 'remove it, and show how far it is'],
      ['./flywheel cache gc history', 'the last runs'],
    ]),
  },
});
