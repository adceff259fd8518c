import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { parseLockFile } from '@flywheel/deploy';
import type { VendorOptions } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { nameOf, readConfigFile } from '../organization/read-organization.ts';

const USUAL_PLACE = 'config/vendor.lock.yaml';

export interface VendorFlags {
  readonly lockFile?: string;
  readonly mirror?: string;
}

/** What the lock file, flags and environment say of vendored manifests. */
export async function vendorOptions(
  context: CliContext,
  flags: VendorFlags,
): Promise<VendorOptions & { readonly path: string; readonly text: string }> {
  const path = lockFilePath(context, flags);
  const text = await readConfigFile(context, path);
  const lockFile = nameOf(context, path);
  const mirror = flags.mirror ?? context.process.env['FLYWHEEL_VENDOR_MIRROR'] ?? '';
  return {
    path,
    text,
    lockFile,
    manifests: parseLockFile(text, lockFile),
    cacheFolder: join(cacheHome(context), 'flywheel', 'vendor'),
    signal: context.signal,
    ...(mirror === '' ? {} : { mirror: mirrorOf(context, mirror) }),
  };
}

/** As told, else below the working directory, else in the checkout. */
function lockFilePath(context: CliContext, { lockFile }: VendorFlags): string {
  if (lockFile !== undefined) return resolve(context.cwd, lockFile);
  const here = join(context.cwd, USUAL_PLACE);
  return existsSync(here) ? here : join(context.root, USUAL_PLACE);
}

function mirrorOf(context: CliContext, mirror: string): string {
  return /^https?:\/\//.test(mirror) ? mirror : resolve(context.cwd, mirror);
}

/** The XDG specification has relative values ignored. */
function cacheHome(context: CliContext): string {
  const xdg = context.process.env['XDG_CACHE_HOME'];
  return xdg !== undefined && isAbsolute(xdg) ? xdg : join(context.home, '.cache');
}
