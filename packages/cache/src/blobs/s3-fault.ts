import { messageOf, type ErrorCode } from '@flywheel/base';

/** What became of an S3 request, in our terms. */
export interface S3Fault {
  readonly code: ErrorCode;
  /** S3's own words. */
  readonly words: string;
  readonly hint?: string;
}

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const CREDENTIALS =
  'give credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in a file with AWS_PROFILE, by AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, or by the role of the machine';

/** By the code that S3 gives an error; servers agree on these. */
const BY_NAME: Readonly<Record<string, readonly [ErrorCode, string?]>> = {
  NoSuchBucket: ['not-found', 'create the bucket, or correct its name; the cache does not make it'],
  NoSuchKey: ['not-found'],
  NoSuchUpload: ['not-found'],
  InvalidAccessKeyId: ['forbidden', 'check AWS_ACCESS_KEY_ID: the server does not know this key'],
  // The Versity gateway's word for the same.
  XAdminUserNotFound: ['forbidden', 'check AWS_ACCESS_KEY_ID: the server does not know this key'],
  SignatureDoesNotMatch: [
    'forbidden',
    'check AWS_SECRET_ACCESS_KEY, and that no proxy changes the Host on the way to the endpoint',
  ],
  InvalidToken: ['forbidden', 'the temporary credentials are not of this server, or have run out'],
  InvalidTokenId: [
    'forbidden',
    'the temporary credentials are not of this server, or have run out',
  ],
  ExpiredToken: ['forbidden', 'the temporary credentials have run out: renew them'],
  RequestTimeTooSkewed: ['forbidden', "correct this machine's clock, or the server's: use NTP"],
  AuthorizationHeaderMalformed: ['invalid-input', 'give the region of the bucket: --s3-region'],
  PermanentRedirect: ['invalid-input', 'give the region of the bucket: --s3-region'],
  CredentialsProviderError: ['unauthorized', CREDENTIALS],
  NotImplemented: ['unsupported'],
  XMinioStorageFull: ['no-space'],
  QuotaExceeded: ['no-space'],
  EntityTooLarge: ['too-large'],
};

const BY_STATUS: Readonly<Record<number, readonly [ErrorCode, string?]>> = {
  301: ['invalid-input', 'give the region of the bucket: --s3-region'],
  401: ['forbidden', CREDENTIALS],
  403: [
    'forbidden',
    'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the role), and what its policy allows in this bucket',
  ],
  404: ['not-found'],
  501: ['unsupported'],
  507: ['no-space'],
};

const BY_SYSTEM_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND:
    'no such host: check the endpoint, and --s3-path-style true where buckets have no host names',
  ECONNREFUSED: 'nothing listens there: check the endpoint and its port',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the endpoint speaks plain HTTP: write it with http://',
};

export function s3Fault(cause: unknown): S3Fault {
  const { name = '', code = '', Code, $metadata } = cause as SdkError;
  const status = $metadata?.httpStatusCode;
  const words = wordsOf(cause, status);
  const known = BY_NAME[name] ?? BY_NAME[Code ?? ''] ?? BY_STATUS[status ?? 0];
  if (known !== undefined) return fault(known[0], words, known[1]);
  const hint = BY_SYSTEM_CODE[code] ?? 'check the endpoint and whether the object store answers';
  return fault('unavailable', words, hint);
}

function fault(code: ErrorCode, words: string, hint: string | undefined): S3Fault {
  return hint === undefined ? { code, words } : { code, words, hint };
}

/** A HEAD has no body, so the SDK can only say "UnknownError": the status says more. */
function wordsOf(cause: unknown, status: number | undefined): string {
  // Of an address with several, such as localhost, the error is empty and holds one for each.
  const errors = cause instanceof AggregateError ? (cause.errors as unknown[]) : [cause];
  const words = errors.map(messageOf).join('; ');
  const vague = words === '' || words === 'UnknownError' || words === 'NotFound';
  return vague && status !== undefined ? `it answers ${status}` : words;
}
