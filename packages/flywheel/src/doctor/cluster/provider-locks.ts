import { dirname } from 'node:path';
import { providerLockFile, readProviderLock } from '@flywheel/deploy';
import { nameOf, organizationPath } from '../../organization/read-organization.ts';
import type { FileFlags } from '../../organization/read-organization.ts';
import type { Finding } from '../check.ts';
import type { Examined } from './examined.ts';

/** Lock files of providers come from the first plan of whoever deploys, and are committed. */
export async function checkProviderLocks(
  { context, stacks }: Examined,
  flags: FileFlags,
): Promise<readonly Finding[]> {
  if (stacks.length === 0) return [];
  const folder = dirname(organizationPath(context, flags));
  const missing: string[] = [];
  for (const stack of stacks) {
    const file = providerLockFile(folder, stack);
    if ((await readProviderLock(file, stack)) === undefined) missing.push(nameOf(context, file));
  }
  const name = 'Provider locks';
  if (missing.length === 0) {
    return [{ name, status: 'ok', summary: `there are ${stacks.length}` }];
  }
  return [
    {
      name,
      status: 'absent',
      summary: `not there yet: ${missing.toSorted().join(', ')}`,
      remedy: 'The first plan writes them. Commit them: later plans then take no other provider.',
    },
  ];
}
