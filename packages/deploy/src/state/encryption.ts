import { FlywheelError } from '@flywheel/base';
import type { Environment } from './backend.ts';
import type { StateVersion } from './read-state.ts';

/** The pass phrase of states and plans; without one they are not encrypted. */
export const PASSPHRASE = 'FLYWHEEL_STATE_PASSPHRASE';

/**
 * What tofu reads in TF_ENCRYPTION: AES-GCM under a key made of the pass phrase, for states and plans.
 * A state that is not encrypted yet may still be read, and is encrypted by the next write; from then on
 * nothing else is accepted. Whoever sets TF_ENCRYPTION himself is not interfered with.
 */
export function encryptionEnvironment(
  env: Environment,
  state: StateVersion | undefined,
): Readonly<Record<string, string>> {
  const own = env['TF_ENCRYPTION'];
  if (own) return { TF_ENCRYPTION: own };
  const passphrase = env[PASSPHRASE];
  if (!passphrase) return {};
  const isPlain = state !== undefined && !state.encrypted;
  return {
    TF_ENCRYPTION: `
key_provider "pbkdf2" "flywheel" {
  passphrase = ${quote(passphrase)}
}
method "aes_gcm" "flywheel" {
  keys = key_provider.pbkdf2.flywheel
}
${isPlain ? 'method "unencrypted" "before" {}' : ''}
state {
  method = method.aes_gcm.flywheel
  ${isPlain ? 'fallback {\n    method = method.unencrypted.before\n  }' : 'enforced = true'}
}
plan {
  method   = method.aes_gcm.flywheel
  enforced = true
}
`,
  };
}

/** As a string of HCL, which is also a template. Throws `invalid-input` for what none can hold. */
function quote(passphrase: string): string {
  if (/\p{Cc}/u.test(passphrase)) {
    throw new FlywheelError('invalid-input', `${PASSPHRASE} has control characters in it`);
  }
  return JSON.stringify(passphrase).replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
}
