import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Finding } from '../check.ts';
import type { Examined } from './examined.ts';

/** Lock files of providers come from the first `init` of whoever deploys, and are committed. */
export async function checkProviderLocks({
  context,
  stacks,
}: Examined): Promise<readonly Finding[]> {
  const missing = stacks
    .map(({ folder }) => join(folder, '.terraform.lock.hcl'))
    .filter((file) => !existsSync(file))
    .map((file) => relative(context.root, file))
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
