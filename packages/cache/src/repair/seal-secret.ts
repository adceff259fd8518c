import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { TokenKey } from '../access/token-key.ts';

/** A secret that each of several keys opens, by the keys' ids. */
export type SealedSecret = Readonly<Record<string, string>>;

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals a text for every token key that has a secret part, so that whoever reads the bucket, but does
 * not have the server's keys, learns nothing. `context` is what the text belongs to: it opens only
 * there.
 */
export function sealSecret(keys: readonly TokenKey[], context: string, text: string): SealedSecret {
  const sealed: Record<string, string> = {};
  for (const key of keys) {
    const sealingKey = sealingKeyOf(key);
    if (sealingKey === undefined) continue;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, sealingKey, nonce).setAAD(Buffer.from(context));
    const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    sealed[key.kid] = Buffer.concat(parts).toString('base64');
  }
  return sealed;
}

/** The text, or undefined when none of the keys opens it. */
export function openSealedSecret(
  keys: readonly TokenKey[],
  context: string,
  sealed: SealedSecret,
): string | undefined {
  for (const key of keys) {
    const sealingKey = sealingKeyOf(key);
    const bytes = Buffer.from(sealed[key.kid] ?? '', 'base64');
    if (sealingKey === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) continue;
    try {
      const decipher = createDecipheriv(CIPHER, sealingKey, bytes.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const plain = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([plain, decipher.final()]).toString('utf8');
    } catch {
      // Another key of the same id, or not what was sealed.
    }
  }
  return undefined;
}

function sealingKeyOf({ sign, verify }: TokenKey): Buffer | undefined {
  const key = sign ?? verify;
  if (key.type === 'public') return undefined;
  const material =
    key.type === 'secret' ? key.export() : key.export({ format: 'der', type: 'pkcs8' });
  return Buffer.from(hkdfSync('sha256', material, '', 'flywheel snapshot', 32));
}
