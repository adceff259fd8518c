import type { IncomingHttpHeaders } from 'node:http';
import type { ApiSettings } from './parts.ts';

export interface Endpoints {
  /** Ends in `/`, or every push of the stock client breaks. */
  readonly api: string;
  readonly substituter: string;
}

/** The public URLs: as configured, else as the client reached us. */
export function endpointsOf(settings: ApiSettings, headers: IncomingHttpHeaders): Endpoints {
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  const api = settings.apiEndpoint ?? `${scheme}://${headers.host ?? 'localhost'}/`;
  return { api, substituter: settings.substituterEndpoint ?? api };
}
