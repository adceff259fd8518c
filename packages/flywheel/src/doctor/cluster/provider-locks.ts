import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Finding } from '../check.ts';
import type { Examined } from './examined.ts';

/** Lock files of providers come from the first `init` of whoever deploys, and are committed. */
export async function checkProviderLocks({ context }: Examined): Promise<readonly Finding[]> {
  const stacks = globSync('tofu/stacks/*/versions.tf', { cwd: context.root }).map(dirname);
  const missing = stacks
    .map((stack) => join(stack, '.terraform.lock.hcl'))
    .filter((file) => !existsSync(join(context.root, file)))
    .toSorted();
  if (stacks.length === 0) return [];
  const name = 'Provider locks';
  if (missing.length === 0) {
    return [{ name, status: 'ok', summary: `there are ${stacks.length}` }];
  }
  return [
    {
      name,
      status: 'absent',
      summary: `not there yet: ${missing.join(', ')}`,
      remedy: 'The first plan writes them. Commit them: later plans then take no other provider.',
    },
  ];
}
