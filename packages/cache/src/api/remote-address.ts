import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { ApiSettings } from './parts.ts';

/**
 * Where the request comes from. Behind a proxy of ours it is what that proxy has added to
 * X-Forwarded-For, the last one: those before it are what the client says of itself.
 */
export function remoteAddressOf(
  { trustForwardedFor }: ApiSettings,
  { headers, socket }: IncomingMessage,
): string {
  const forwarded = trustForwardedFor ? String(headers['x-forwarded-for'] ?? '') : '';
  const last = forwarded.slice(forwarded.lastIndexOf(',') + 1).trim();
  return isIP(last) === 0 ? (socket.remoteAddress ?? 'unknown') : last;
}
