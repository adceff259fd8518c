import { FlywheelError, toFlywheelError, type ErrorCode } from '@flywheel/base';

/** Attic's machine names of errors, and the HTTP status and text of each. */
const WIRE_ERRORS = {
  NotFound: { status: 404, code: 'not-found', message: 'The URL you requested was not found.' },
  Unauthorized: { status: 401, code: 'unauthorized', message: 'Unauthorized.' },
  NoSuchCache: { status: 404, code: 'not-found', message: 'The requested cache does not exist.' },
  NoSuchObject: { status: 404, code: 'not-found', message: 'The requested object does not exist.' },
  CacheAlreadyExists: { status: 400, code: 'already-exists', message: 'The cache already exists.' },
  IncompleteNar: {
    status: 503,
    code: 'corrupt',
    message: 'The requested NAR has missing chunks and needs to be repaired.',
  },
  AccessError: {
    status: 403,
    code: 'forbidden',
    message: 'Access error: User does not have permission to complete this action.',
  },
  PathInUse: {
    status: 409,
    code: 'conflict',
    message: 'The path is needed',
  },
  RequestError: { status: 400, code: 'invalid-input', message: 'General request error' },
  InvalidCacheName: { status: 400, code: 'invalid-input', message: 'Invalid cache name' },
  InvalidStorePathHash: { status: 400, code: 'invalid-input', message: 'Invalid store path hash' },
  UnsupportedMediaType: { status: 415, code: 'invalid-input', message: 'Unsupported media type' },
  UnprocessableEntity: { status: 422, code: 'invalid-input', message: 'Invalid request body' },
  RequestTimeout: {
    status: 408,
    code: 'invalid-input',
    message: 'The request body came too slowly; it was given up.',
  },
  TooManyRequests: {
    status: 429,
    code: 'unavailable',
    message: 'Too many requests for this token or address; try again later.',
  },
  PayloadTooLarge: { status: 413, code: 'too-large', message: 'The request is too large' },
  InsufficientStorage: {
    status: 507,
    code: 'no-space',
    message: 'The server has no space left; nothing of this request was stored.',
  },
  Unavailable: { status: 503, code: 'unavailable', message: 'The server cannot do this now' },
  Busy: {
    status: 503,
    code: 'unavailable',
    message: 'The server has as many uploads as it can take; try again in a few seconds.',
  },
  InternalServerError: {
    status: 500,
    code: 'internal',
    message: 'The server encountered an internal error or misconfiguration.',
  },
} as const satisfies Record<string, { status: number; code: ErrorCode; message: string }>;

export type WireErrorName = keyof typeof WIRE_ERRORS;

/** An error with a fixed place on the wire. `detail` is appended to the standard text. */
export function wireError(name: WireErrorName, detail?: string): FlywheelError {
  const { code, message } = WIRE_ERRORS[name];
  const text = detail === undefined ? message : `${message}: ${detail}`;
  return new FlywheelError(code, text, { details: { wire: name } });
}

export interface ErrorReply {
  readonly status: number;
  readonly body: { readonly code: number; readonly error: WireErrorName; readonly message: string };
  /** Further header lines, names and values in turn. */
  readonly headers: readonly string[];
}

/**
 * Whether the rest of the body stays unread: because taking it is what the server cannot or will not
 * do now, or because it does not come.
 */
export function leavesBody({ body: { error } }: ErrorReply, method: string): boolean {
  return (
    error === 'Busy' ||
    error === 'RequestTimeout' ||
    (error === 'TooManyRequests' && method === 'PUT')
  );
}

/** What the client is told. Nothing of an unexpected error but that it happened. */
export function errorReply(thrown: unknown): ErrorReply {
  const error = toFlywheelError(thrown);
  const name = wireName(error);
  const { status, message } = WIRE_ERRORS[name];
  const text =
    name === 'InternalServerError' || name === 'InsufficientStorage' ? message : textOf(error);
  const headers = headersOf(name, error.details);
  return { status, body: { code: status, error: name, message: text }, headers };
}

function headersOf(name: WireErrorName, details: FlywheelError['details']): readonly string[] {
  const { retryAfterSeconds = 5, challenge = CHALLENGE } = details;
  if (name === 'Unauthorized') return ['WWW-Authenticate', String(challenge)];
  if (name === 'Busy' || name === 'TooManyRequests') {
    return ['Retry-After', String(retryAfterSeconds)];
  }
  return [];
}

/**
 * RFC 6750. Not Basic, though that is taken too: a browser would ask for a password, and curl sends
 * what is in a netrc without being asked.
 */
export const CHALLENGE = 'Bearer realm="cache"';

/** Whether somebody who runs the server must hear of it. */
export function isServerFault(reply: ErrorReply): boolean {
  return reply.status >= 500 && reply.body.error !== 'Busy';
}

function wireName(error: FlywheelError): WireErrorName {
  const { wire } = error.details;
  if (typeof wire === 'string' && wire in WIRE_ERRORS) return wire as WireErrorName;
  switch (error.code) {
    case 'invalid-input':
    case 'corrupt':
      // `corrupt` data that a client sent; damaged stored data is IncompleteNar, by name.
      return 'RequestError';
    case 'unsupported':
      return 'UnsupportedMediaType';
    case 'already-exists':
      return 'CacheAlreadyExists';
    case 'too-large':
      return 'PayloadTooLarge';
    case 'no-space':
      return 'InsufficientStorage';
    case 'conflict':
    case 'unavailable':
      return 'Unavailable';
    default:
      return 'InternalServerError';
  }
}

function textOf(error: FlywheelError): string {
  const { wire, hint } = error.details;
  if (wire !== undefined) return error.message;
  const name = wireName(error);
  if (name === 'CacheAlreadyExists') return WIRE_ERRORS[name].message;
  const advice = typeof hint === 'string' ? `; ${hint}` : '';
  return `${WIRE_ERRORS[name].message}: ${error.message}${advice}`;
}
