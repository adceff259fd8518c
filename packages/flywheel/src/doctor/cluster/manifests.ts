import { isFlywheelError } from '@flywheel/base';
import { manifestsFor } from '@flywheel/deploy';
import type { Finding } from '../check.ts';
import { vendorOptions } from '../../vendor/vendor-options.ts';
import type { Examined } from './examined.ts';

/** Whether the manifests of the operators have digests: without, none is applied. */
export async function checkManifests({
  context,
  organization,
  stacks,
}: Examined): Promise<readonly Finding[]> {
  const wanted = stacks.flatMap((stack) => manifestsFor(stack, organization));
  if (wanted.length === 0) return [];
  const name = 'Operator manifests';
  try {
    const { manifests, lockFile } = await vendorOptions(context, {});
    const unpinned = wanted.filter(
      (each) => manifests.find((manifest) => manifest.name === each)?.sha256 === undefined,
    );
    if (unpinned.length === 0) {
      return [{ name, status: 'ok', summary: `pinned in ${lockFile}: ${wanted.join(', ')}` }];
    }
    const commands = unpinned.map((each) => `./flywheel vendor pin ${each}`);
    return [
      {
        name,
        status: 'failed',
        summary: `${lockFile} has no digest of ${unpinned.join(', ')}`,
        remedy: `Record it, read what was fetched, and commit it:\n${commands.join('\n')}`,
      },
    ];
  } catch (error) {
    if (!isFlywheelError(error)) throw error;
    const { hint } = error.details;
    const remedy = typeof hint === 'string' ? hint : 'Restore the lock file from Git.';
    return [{ name, status: 'failed', summary: error.message, remedy }];
  }
}
