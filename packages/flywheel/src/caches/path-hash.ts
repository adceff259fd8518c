import { FlywheelError } from '@flywheel/base';
import { isStorePathHash, parseStorePath } from '@flywheel/nix';

/** The hash of a store path that is written as such, as its base name, or as the hash alone. */
export function pathHashOf(text: string): string {
  if (isStorePathHash(text)) return text;
  try {
    return parseStorePath(text.startsWith('/') ? text : `/nix/store/${text}`).hash;
  } catch (cause) {
    throw new FlywheelError('invalid-input', `"${text}" is neither a store path nor its hash`, {
      cause,
    });
  }
}
