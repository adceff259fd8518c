import { decodeBase64 } from './base-64.ts';

const SIGNATURE_BYTES = 64;
/** Names of keys are those of hosts, with a number behind; nobody needs more. */
const SIGNATURE = /^([^\s:]{1,255}):([0-9A-Za-z+/]{86}==)$/;

/** Whether this is `name:base64` of an Ed25519 signature, in one line. Says nothing of its truth. */
export function isSignature(text: string): boolean {
  const base64 = SIGNATURE.exec(text)?.[2];
  return base64 !== undefined && decodeBase64(base64)?.length === SIGNATURE_BYTES;
}

/** Each once, those of the first list first, and no more than `limit`. */
export function mergeSignatures(
  first: readonly string[],
  then: readonly string[],
  limit: number,
): readonly string[] {
  return [...new Set([...first, ...then])].slice(0, limit);
}
