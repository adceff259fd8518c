import { writeFile } from 'node:fs/promises';
import { toFlywheelError } from '@flywheel/base';
import { fetchForPin, withDigest } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { vendorOptions } from './vendor-options.ts';
import type { VendorFlags } from './vendor-options.ts';

export async function runVendorPin(
  context: CliContext,
  flags: OutputFlags & VendorFlags,
  name: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const options = await vendorOptions(context, flags);
  const before = options.manifests.find((manifest) => manifest.name === name)?.sha256;
  const { version, file, sha256 } = await fetchForPin(name, options);
  if (sha256 !== before) {
    const text = withDigest(options.text, name, sha256);
    await writeFile(options.path, text).catch((cause: unknown) => {
      throw toFlywheelError(cause, `write ${options.lockFile}`);
    });
  }
  output.print(`${name} ${version}: ${sha256}`);
  if (sha256 === before) output.print(`${options.lockFile} says so already.`);
  else {
    output.print(
      `Recorded in ${options.lockFile}${before === undefined ? '' : ` over ${before}`}.`,
    );
    output.print(`Read what it is before you commit that: ${file}`);
  }
  output.result({ name, version, file, sha256, ...(before === undefined ? {} : { before }) });
}
