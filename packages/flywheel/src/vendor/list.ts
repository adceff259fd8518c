import { cachedDigest, vendoredFile } from '@flywheel/deploy';
import type { LockedManifest } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { vendorOptions } from './vendor-options.ts';
import type { VendorFlags } from './vendor-options.ts';

export async function runVendorList(
  context: CliContext,
  flags: OutputFlags & VendorFlags,
): Promise<void> {
  const output = createOutput(context, flags);
  const { manifests, cacheFolder } = await vendorOptions(context, flags);
  const listed = await Promise.all(
    manifests.map(async (manifest) => {
      const file = vendoredFile(manifest, cacheFolder);
      return { ...manifest, file, state: stateOf(manifest, await cachedDigest(file)) };
    }),
  );
  const rows = listed.map(({ name, version, state, sha256 = '' }) => [
    name,
    version,
    state,
    sha256.slice(0, 12),
  ]);
  output.print(formatTable([['NAME', 'VERSION', 'STATE', 'SHA-256'], ...rows]));
  output.result({ manifests: listed });
}

function stateOf({ sha256 }: LockedManifest, cached: string | undefined): string {
  if (sha256 === undefined) return 'not pinned';
  if (cached === undefined) return 'not fetched';
  return cached === sha256 ? 'fetched' : 'changed on this disk';
}
