import { expect, test } from 'vitest';
import { createTestContext } from '../test-context.ts';
import { s3Location } from './s3-location.ts';

test('flags go before the environment, part by part', () => {
  const env = {
    FLYWHEEL_S3_BUCKET: 'environment',
    FLYWHEEL_S3_ENDPOINT: 'https://minio.example.org',
    FLYWHEEL_S3_PATH_STYLE: 'false',
    FLYWHEEL_S3_REGION: ' ',
  };
  const { context } = createTestContext({ env });
  expect(s3Location(context, { s3Bucket: 'flag', s3Prefix: 'a/' })).toEqual({
    bucket: 'flag',
    endpoint: 'https://minio.example.org',
    publicEndpoint: undefined,
    region: undefined,
    pathStyle: false,
    prefix: 'a/',
  });
});

test('without a bucket the packs are in the data directory, unless S3 was meant', () => {
  expect(s3Location(createTestContext().context, {})).toBeUndefined();
  const env = { FLYWHEEL_S3_ENDPOINT: 'https://minio.example.org' };
  const { context } = createTestContext({ env });
  expect(() => s3Location(context, {})).toThrow('there is an endpoint of S3, and no bucket');
});

test('path style is true or false', () => {
  const env = { FLYWHEEL_S3_BUCKET: 'b', FLYWHEEL_S3_PATH_STYLE: 'yes' };
  const { context } = createTestContext({ env });
  expect(() => s3Location(context, {})).toThrow('"yes" is neither true nor false');
});
