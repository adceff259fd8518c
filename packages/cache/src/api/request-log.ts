import type { LogFields, Logger } from '@flywheel/base';
import type { RouteName } from './exchange.ts';

/** A request that has its answer, or has lost its client. */
export interface FinishedRequest {
  readonly requestId: string;
  readonly route: RouteName;
  readonly method: string | undefined;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  /** The client hung up before the end of the answer. */
  readonly aborted: boolean;
  readonly error?: unknown;
}

/** Longer than any of these takes on a machine that is well. */
const SLOW_MS = 1000;

/** How long a transfer takes is the line's affair, not the server's. */
const TRANSFERS: ReadonlySet<RouteName> = new Set(['upload-path', 'put-nar', 'get-nar']);

/**
 * One line a request: for somebody to see when it failed or was slow, else at level debug. A
 * server that is not ready says so once, in readiness.ts, and not to every probe.
 */
export function logRequest(logger: Logger, request: FinishedRequest): void {
  // Passed on as it is, unread where debug is off: this is called for every narinfo.
  const fields = request as FinishedRequest & LogFields;
  if (request.error !== undefined) logger.error('request failed', fields);
  else if (request.status >= 500 && request.route !== 'readyz')
    logger.warn('request refused', fields);
  else if (request.ms >= SLOW_MS && !TRANSFERS.has(request.route))
    logger.info('slow request', fields);
  else logger.debug('request', fields);
}
