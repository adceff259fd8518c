import type { Claims } from '../access/claims.ts';

/** The endpoints by name, as metrics and the request log call them: a closed list, no paths. */
export type RouteName =
  | 'status-page'
  | 'status-json'
  | 'healthz'
  | 'readyz'
  | 'metrics'
  | 'list-caches'
  | 'get-cache-config'
  | 'create-cache'
  | 'configure-cache'
  | 'destroy-cache'
  | 'get-missing-paths'
  | 'upload-path'
  | 'nix-cache-info'
  | 'get-narinfo'
  | 'put-narinfo'
  | 'get-listing'
  | 'get-nar'
  | 'put-nar'
  | 'jwks'
  | 'exchange-token'
  | 'create-token'
  | 'list-tokens'
  | 'get-token'
  | 'revoke'
  | 'list-revocations'
  | 'read-audit'
  | 'get-cache-settings'
  | 'configure-cache-settings'
  | 'list-pins'
  | 'get-pin'
  | 'put-pin'
  | 'delete-pin'
  | 'request-run'
  | 'list-runs'
  | 'get-run'
  | 'browse-caches'
  | 'list-paths'
  | 'delete-path'
  | 'get-upstreams'
  | 'put-upstreams'
  | 'get-log'
  | 'put-log'
  | 'get-realisation'
  | 'put-realisation'
  // Nothing of ours: an unknown path, or a method that the path does not have.
  | 'other';

/** One request and its answer, beside what HTTP says of them. */
export interface Exchange {
  readonly requestId: string;
  /** Set by the endpoint that takes the request. */
  route: RouteName;
  /** What made the answer an error. */
  error?: unknown;
  readonly body: BodyPace;
  /** Of the caller, once somebody has asked for them; absent: anonymous so far. */
  claims?: Claims;
  /** The request has been counted against the caller's rate. */
  isAdmitted?: boolean;
  /** Hears of each piece of the body. */
  received?: (bytes: number) => void;
}

/** How slowly a request's body may come, see `paced`. */
export interface BodyPace {
  /** A sender may be waited for so long in all. */
  readonly patienceMs: number;
  /** Bytes that earn back a second of it. */
  readonly bytesPerSecond: number;
}
