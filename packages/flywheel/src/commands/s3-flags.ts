import { FlywheelError } from '@flywheel/base';

/** Where packs lie in S3; see `s3Location` for the variables in their place. */
export const s3Flags = {
  s3Bucket: {
    kind: 'parsed',
    parse: String,
    placeholder: 'NAME',
    brief: 'Keep packs in this S3 bucket [default = $FLYWHEEL_S3_BUCKET, else the data directory]',
    optional: true,
  },
  s3Endpoint: {
    kind: 'parsed',
    parse: String,
    placeholder: 'URL',
    brief: 'S3 server [default = $FLYWHEEL_S3_ENDPOINT, else AWS]',
    optional: true,
  },
  s3PublicEndpoint: {
    kind: 'parsed',
    parse: String,
    placeholder: 'URL',
    brief:
      'The same server as clients reach it, for redirects [default = $FLYWHEEL_S3_PUBLIC_ENDPOINT, else that of the server]',
    optional: true,
  },
  s3Region: {
    kind: 'parsed',
    parse: String,
    placeholder: 'REGION',
    brief: 'Region [default = $FLYWHEEL_S3_REGION, else as AWS says, else us-east-1]',
    optional: true,
  },
  s3PathStyle: {
    kind: 'parsed',
    parse: parseYesNo,
    placeholder: 'true|false',
    brief:
      'Bucket in the path, not in the host [default = $FLYWHEEL_S3_PATH_STYLE, else true with an endpoint]',
    optional: true,
  },
  s3Prefix: {
    kind: 'parsed',
    parse: String,
    placeholder: 'PREFIX',
    brief: 'Folder in the bucket [default = $FLYWHEEL_S3_PREFIX, else none]',
    optional: true,
  },
} as const;

/** `true` or `false`. Throws `invalid-input`. */
export function parseYesNo(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new FlywheelError('invalid-input', `"${text}" is neither true nor false`);
}
