/**
 * The closed set of things that go wrong. Two tables translate it, one place each: to HTTP
 * (packages/cache/src/api/error-response.ts) and to exit codes (packages/flywheel/src/exit.ts).
 */
export type ErrorCode =
  | 'invalid-input' // the caller sent something malformed or contradictory
  | 'not-found' // the named thing does not exist
  | 'already-exists'
  | 'unauthorized' // who are you
  | 'forbidden' // you may not do this
  | 'too-large' // over a documented limit
  | 'conflict' // somebody else holds or changed it
  | 'corrupt' // stored or received data does not match its hash or format
  | 'no-space' // the disk or quota is full
  | 'unavailable' // a dependency does not answer; trying again may help
  | 'unsupported' // valid, but this build or machine cannot do it
  | 'internal'; // a bug, or a state nobody foresaw

/** An error with a stable code, a message for people, and machine-readable details. */
export class FlywheelError extends Error {
  override readonly name = 'FlywheelError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  /** `details.hint`, when present, is the step that mends the problem; the CLI prints it. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

export function isFlywheelError(value: unknown, code?: ErrorCode): value is FlywheelError {
  return value instanceof FlywheelError && (code === undefined || value.code === code);
}

/** Anything thrown, as a FlywheelError; the operating system's errors keep their meaning. */
export function toFlywheelError(value: unknown, attempted?: string): FlywheelError {
  if (isFlywheelError(value)) return value;
  const prefix = attempted === undefined ? '' : `${attempted}: `;
  return new FlywheelError(codeOf(value), prefix + messageOf(value), { cause: value });
}

export function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}

function codeOf(value: unknown): ErrorCode {
  const systemCode = (value as { code?: unknown } | null)?.code;
  switch (systemCode) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no-space';
    case 'ENOENT':
      return 'not-found';
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENAMETOOLONG':
      return 'invalid-input';
    case 'EEXIST':
      return 'already-exists';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'forbidden';
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'ETIMEDOUT':
    case 'EPIPE':
      return 'unavailable';
    default:
      return 'internal';
  }
}
