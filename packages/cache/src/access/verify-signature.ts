import { compactVerify, decodeProtectedHeader } from 'jose';
import type { KeyRing } from './key-ring.ts';

/** The payload of a JWT that one of the keys has signed with its own algorithm; else undefined. */
export async function verifySignature(token: string, ring: KeyRing): Promise<string | undefined> {
  const header = headerOf(token);
  if (header === undefined) return undefined;
  const { alg, kid, typ } = header;
  if (typ !== undefined && !isTokenType(typ)) return undefined;
  for (const key of ring.candidates(alg, kid)) {
    try {
      const { payload } = await compactVerify(token, key.verify, { algorithms: [key.algorithm] });
      return Buffer.from(payload).toString('utf8');
    } catch {
      // Not this key: another may have signed it.
    }
  }
  return undefined;
}

function isTokenType(typ: unknown): boolean {
  return typeof typ === 'string' && /^(?:JWT|.*\+JWT)$/i.test(typ);
}

/** Unverified: any JSON may be in it. */
function headerOf(token: string): Readonly<Record<'alg' | 'kid' | 'typ', unknown>> | undefined {
  try {
    return decodeProtectedHeader(token) as Readonly<Record<'alg' | 'kid' | 'typ', unknown>>;
  } catch {
    return undefined;
  }
}
