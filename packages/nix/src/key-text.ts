import { FlywheelError } from '@flywheel/base';
import { decodeBase64 } from './base-64.ts';

/** `name:base64`, the form of Nix's secret keys, public keys and signatures. */
export interface KeyText {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Reads `name:base64` of so many bytes; `what` names it in messages, which never repeat the text:
 * it may be a secret. White space around it is ignored, as files end with a newline.
 * Throws `invalid-input`.
 */
export function parseKeyText(text: string, what: string, byteLength: number): KeyText {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(':');
  if (colon < 0) throw malformed(what, 'it is not of the form name:base64');
  const name = trimmed.slice(0, colon);
  checkKeyName(name);
  const bytes = decodeBase64(trimmed.slice(colon + 1));
  if (bytes === undefined) throw malformed(what, 'what follows the name is not base64');
  if (bytes.length !== byteLength) {
    throw malformed(what, `it has ${bytes.length} bytes instead of ${byteLength}`);
  }
  return { name, bytes };
}

export function formatKeyText(name: string, bytes: Uint8Array): string {
  return `${name}:${Buffer.from(bytes).toString('base64')}`;
}

/** Throws `invalid-input` for a name that would not survive in `trusted-public-keys`. */
export function checkKeyName(name: string): void {
  if (/^[^\s:]+$/.test(name)) return;
  throw malformed('key name', 'it has to be non-empty, without colons and white space');
}

function malformed(what: string, why: string): FlywheelError {
  return new FlywheelError('invalid-input', `malformed ${what}: ${why}`);
}
