import { vendoredManifest } from '@flywheel/deploy';
import type { StackSite } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { vendorOptions } from '../vendor/vendor-options.ts';

/** The manifests that a stack applies, by name: pinned, fetched unless they are there, and checked. */
export async function findManifests(
  context: CliContext,
  names: readonly string[],
): Promise<StackSite['manifests']> {
  if (names.length === 0) return {};
  const options = await vendorOptions(context, {});
  const found = names.map(async (name) => {
    const { file, sha256 } = await vendoredManifest(name, options);
    return [name, { file, sha256 }] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}
