import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import type { Environment } from '../state/backend.ts';

/** OpenTofu on this machine: FLYWHEEL_TOFU, else `tofu` on the PATH. Throws `not-found`. */
export function findTofu(env: Environment): string {
  const told = env['FLYWHEEL_TOFU'];
  if (told) {
    if (isProgram(told)) return told;
    throw new FlywheelError('not-found', `FLYWHEEL_TOFU is ${told}, which is no program`);
  }
  const found = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'tofu'))
    .find((file) => isProgram(file));
  if (found !== undefined) return found;
  throw new FlywheelError('not-found', 'there is no tofu (OpenTofu) on the PATH', {
    details: {
      hint:
        'Any version from 1.9 on does: nix shell nixpkgs#opentofu, brew install opentofu, or the package\n' +
        'of your system (https://opentofu.org/docs/intro/install/). FLYWHEEL_TOFU names one elsewhere.',
    },
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
