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
  const method = { method: '${method.aes_gcm.flywheel}', enforced: true };
  const mayBePlain = state !== undefined && !state.encrypted;
  const fallback = { fallback: { method: '${method.unencrypted.before}' } };
  return {
    TF_ENCRYPTION: JSON.stringify({
      key_provider: { pbkdf2: { flywheel: { passphrase: escapeTemplate(passphrase) } } },
      method: {
        aes_gcm: { flywheel: { keys: '${key_provider.pbkdf2.flywheel}' } },
        ...(mayBePlain ? { unencrypted: { before: {} } } : {}),
      },
      state: mayBePlain ? { method: method.method, ...fallback } : method,
      plan: method,
    }),
  };
}

/** Text in JSON configuration is a template. */
function escapeTemplate(text: string): string {
  return text.replaceAll('${', '$${').replaceAll('%{', '%%{');
}
