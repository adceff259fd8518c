import { wireError } from './error-response.ts';
import type { ApiSettings } from './parts.ts';

/** Throws the wire's error when requests with this `Host` are not served. */
export function checkHost(settings: ApiSettings, host: string | undefined): void {
  if (host === undefined || host === '') throw wireError('RequestError', 'Missing Host header');
  if (!isServedHost(settings, host)) throw wireError('RequestError', 'Bad Host');
}

export function isServedHost({ allowedHosts }: ApiSettings, host: string | undefined): boolean {
  if (host === undefined || host === '') return false;
  return allowedHosts.length === 0 || allowedHosts.includes(host);
}
