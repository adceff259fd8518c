import { FlywheelError } from '@flywheel/base';

/**
 * Where the bucket is. Credentials are not here: they come from where AWS's own programs take them,
 * the environment, shared files, web identity, or the role of a container or machine.
 */
export interface S3Location {
  readonly bucket: string;
  /** For everything but AWS: `https://minio.example.org`. */
  readonly endpoint?: string | undefined;
  /** Where clients reach the bucket that are redirected to it; without it, the endpoint. */
  readonly publicEndpoint?: string | undefined;
  /** Without it, AWS_REGION or that of the shared files, else `us-east-1`. */
  readonly region?: string | undefined;
  /**
   * `endpoint/bucket/key` in place of `bucket.endpoint/key`. Default: with an endpoint, which few
   * servers but AWS resolve buckets below.
   */
  readonly pathStyle?: boolean | undefined;
  /** Before every key. */
  readonly prefix?: string | undefined;
}

/**
 * The location with a prefix that is empty or ends in `/`. Throws `invalid-input` for what S3 would
 * refuse in less clear words.
 */
export function checkS3Location(location: S3Location): S3Location & { readonly prefix: string } {
  const { bucket, endpoint, publicEndpoint, prefix = '' } = location;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(bucket)) {
    throw invalid(`"${bucket}" is no name of a bucket`, 'write the name alone, without s3://');
  }
  checkEndpoint(endpoint);
  checkEndpoint(publicEndpoint);
  const folders = prefix.split('/').filter((part) => part !== '');
  if (!folders.every((part) => /^[\w.=-]+$/.test(part) && !/^\.+$/.test(part))) {
    throw invalid(
      `"${prefix}" is no prefix of keys`,
      'write folders of letters, digits and . _ = -, for instance caches/main/',
    );
  }
  return { ...location, prefix: folders.map((part) => `${part}/`).join('') };
}

function checkEndpoint(text: string | undefined): void {
  if (text === undefined) return;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && url.search + url.hash + url.username + url.password === '';
  if (plain && /^https?:$/.test(url.protocol)) return;
  // Not the text itself: who writes a key into a URL should not find it in a log.
  throw invalid(
    'the endpoint of S3 is no plain http or https URL',
    'write it like https://minio.example.org:9000, without bucket, key or password',
  );
}

function invalid(message: string, hint: string): FlywheelError {
  return new FlywheelError('invalid-input', message, { details: { hint } });
}
