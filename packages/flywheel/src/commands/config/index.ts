import { buildRouteMap } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { describe } from '../help.ts';
import { diff } from './diff.ts';
import { explain } from './explain.ts';
import { migrate } from './migrate.ts';
import { schema } from './schema.ts';
import { show } from './show.ts';
import { validate } from './validate.ts';

const routes = { validate, show, explain, diff, schema, migrate };

export const config = buildRouteMap<keyof typeof routes, CliContext>({
  routes,
  docs: {
    brief: 'Check, explain and compare the file that describes the organization',
    fullDescription: describe(
      `
Works with config/organization.yaml, the one file that describes the organization. Its layers are
upstream, which comes with flywheel, the file itself, and the overrides of an environment.`,
      [
        ['./flywheel config validate', 'what is wrong in it'],
        ['./flywheel config explain cache.replicas', 'what a key is, and who says so'],
        ['./flywheel config show --environment production', 'all of it, with defaults'],
      ],
    ),
  },
});
