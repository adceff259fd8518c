import { vendoredManifest } from '@flywheel/deploy';
import type { VendoredManifest } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { vendorOptions } from './vendor-options.ts';
import type { VendorFlags } from './vendor-options.ts';

/** The first that is not as it was reviewed ends it: nothing may be applied then. */
export async function runVendorFetch(
  context: CliContext,
  flags: OutputFlags & VendorFlags,
  ...names: readonly string[]
): Promise<void> {
  const output = createOutput(context, flags);
  const options = await vendorOptions(context, flags);
  const wanted = names.length > 0 ? names : options.manifests.map(({ name }) => name);
  const fetched: VendoredManifest[] = [];
  for (const name of wanted) {
    const manifest = await vendoredManifest(name, options);
    fetched.push(manifest);
    output.print(`${name} ${manifest.version}: ${manifest.file}`);
  }
  output.result({ manifests: fetched });
}
