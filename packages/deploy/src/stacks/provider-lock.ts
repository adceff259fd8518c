// Which providers exactly a stack takes: a file beside the organization, reviewed and committed by who
// deploys. Stacks come with flywheel, in an image on a file system that nobody writes to.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError, isFlywheelError, toFlywheelError } from '@flywheel/base';
import { runTofu } from '../tofu/run-tofu.ts';
import type { TofuSite } from '../tofu/run-tofu.ts';
import type { Stack } from './stack.ts';
import { LOCK_FILE } from './working-copy.ts';

/** The lock file of a stack beside the organization: `attic.lock.hcl`, in OpenTofu's own format. */
export function providerLockFile(
  organizationFolder: string,
  { name }: Pick<Stack, 'name'>,
): string {
  return join(organizationFolder, `${name}.lock.hcl`);
}

/** The lock file that counts: the one beside the organization, else one that a stack of your own has. */
export async function readProviderLock(
  file: string,
  stack: Pick<Stack, 'folder'>,
): Promise<Uint8Array | undefined> {
  return (await readIfThere(file)) ?? (await readIfThere(join(stack.folder, LOCK_FILE)));
}

/**
 * Runs `tofu init`. What is pinned is checked and stays as it was reviewed: throws `conflict` for other
 * providers. What is not is looked up anew, and written into the folder.
 */
export async function initializeProviders(tofu: TofuSite, isPinned: boolean): Promise<void> {
  const words = ['init', '-json', '-input=false', '-reconfigure'];
  if (!isPinned) {
    // Of a run before: it would hold on to versions that the stack has left behind.
    await rm(join(tofu.folder, LOCK_FILE), { force: true });
    await runTofu(tofu, words);
    return;
  }
  try {
    await runTofu(tofu, [...words, '-lockfile=readonly']);
  } catch (error) {
    throw isOtherProvider(error) ? otherProviders(tofu, error) : error;
  }
}

async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (isFlywheelError(toFlywheelError(error), 'not-found')) return undefined;
    throw toFlywheelError(error, `read ${file}`);
  }
}

/** tofu tells it in words only. */
function isOtherProvider(error: unknown): error is FlywheelError {
  if (!isFlywheelError(error)) return false;
  return /lock file|locked provider/i.test(String(error.details['hint']));
}

function otherProviders({ stack }: TofuSite, cause: FlywheelError): FlywheelError {
  return new FlywheelError('conflict', `the providers of ${stack} are not those of its lock file`, {
    cause,
    details: {
      hint:
        `${String(cause.details['hint'])}\n` +
        `Nothing was planned. If other providers are meant: remove ${stack}.lock.hcl beside organization.yaml,\n` +
        'plan on your machine, and commit the one that it writes.',
    },
  });
}
