import { FlywheelError } from '@flywheel/base';
import type { S3Location } from '@flywheel/cache';
import type { CliContext } from '../context.ts';
import { parseYesNo } from '../commands/s3-flags.ts';

export interface S3Flags {
  readonly s3Bucket?: string;
  readonly s3Endpoint?: string;
  readonly s3PublicEndpoint?: string;
  readonly s3Region?: string;
  readonly s3PathStyle?: boolean;
  readonly s3Prefix?: string;
}

/**
 * The place of the packs, each part from its flag or FLYWHEEL_S3_…; undefined without a bucket: they
 * are in the data directory. Throws `invalid-input` for an endpoint without a bucket, which would
 * quietly mean just that.
 */
export function s3Location(context: CliContext, flags: S3Flags): S3Location | undefined {
  const variable = (name: string): string | undefined =>
    context.process.env[`FLYWHEEL_S3_${name}`]?.trim() || undefined;
  const bucket = flags.s3Bucket ?? variable('BUCKET');
  const endpoint = flags.s3Endpoint ?? variable('ENDPOINT');
  const publicEndpoint = flags.s3PublicEndpoint ?? variable('PUBLIC_ENDPOINT');
  if (bucket === undefined) {
    if (endpoint === undefined && publicEndpoint === undefined) return undefined;
    throw new FlywheelError('invalid-input', 'there is an endpoint of S3, and no bucket', {
      details: { hint: 'name it with --s3-bucket or FLYWHEEL_S3_BUCKET' },
    });
  }
  const pathStyle = variable('PATH_STYLE');
  return {
    bucket,
    endpoint,
    publicEndpoint,
    region: flags.s3Region ?? variable('REGION'),
    pathStyle: flags.s3PathStyle ?? (pathStyle === undefined ? undefined : parseYesNo(pathStyle)),
    prefix: flags.s3Prefix ?? variable('PREFIX'),
  };
}
