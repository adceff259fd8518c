import type * as Sdk from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Location } from './s3-location.ts';

/** The parts of the SDK that the blobs use, loaded with them. */
export type S3Sdk = typeof Sdk;

export interface S3Connection {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
  /** How often each operation was sent, repetitions included. */
  readonly requests: ReadonlyMap<string, number>;
}

const CONNECT_MS = 5000;
/** Without a byte either way. A paused download stays open for less. */
const SILENT_MS = 60_000;
/** Downloads hold one each while their client reads. */
const MAX_CONNECTIONS = 512;
const DEFAULT_REGION = 'us-east-1';

/** A client for this place. Nothing is sent yet. */
export async function connectS3(location: S3Location): Promise<S3Connection> {
  // Half a second to load, which only those pay who use it.
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    region: location.region ?? (await configuredRegion(sdk)),
    forcePathStyle: location.pathStyle ?? location.endpoint !== undefined,
    ...(location.endpoint === undefined ? {} : { endpoint: location.endpoint }),
    // Trailing checksums are AWS's own: R2, Ceph and older MinIO refuse them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENT_MS,
      httpAgent: { maxSockets: MAX_CONNECTIONS },
      httpsAgent: { maxSockets: MAX_CONNECTIONS },
    },
  });
  return { sdk, client, requests: countRequests(client) };
}

/** What AWS's own variables and files say. Servers that know no regions take any. */
async function configuredRegion(sdk: S3Sdk): Promise<string> {
  const probe = new sdk.S3Client({});
  try {
    return await probe.config.region();
  } catch {
    return DEFAULT_REGION;
  } finally {
    probe.destroy();
  }
}

function countRequests(client: S3Client): ReadonlyMap<string, number> {
  const requests = new Map<string, number>();
  // After the step that repeats requests, so that each attempt counts: each is billed.
  client.middlewareStack.add(
    (next, context) => (args) => {
      const operation = (context.commandName ?? 'other').replace(/Command$/, '');
      requests.set(operation, (requests.get(operation) ?? 0) + 1);
      return next(args);
    },
    { step: 'deserialize', name: 'countRequests' },
  );
  return requests;
}
