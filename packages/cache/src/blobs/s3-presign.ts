import { FlywheelError } from '@flywheel/base';
import { s3Call } from './s3-call.ts';
import type { S3Connection } from './s3-client.ts';
import type { S3Location } from './s3-location.ts';

/** What a URL is signed for. */
export interface DownloadUrl {
  /** The Content-Type of the answer. */
  readonly contentType: string;
  readonly expiresSeconds: number;
}

export type SignUrl = (key: string, download: DownloadUrl) => Promise<string>;

/** The SDK's signer, which its types know only by half. */
interface Presigner {
  presign(
    request: PresignedRequest,
    options: { readonly expiresIn: number; readonly signingDate: Date },
  ): Promise<{ readonly query?: Readonly<Record<string, string>> }>;
}

interface PresignedRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Signs URLs that let their holder GET one object for a while, at the endpoint that clients reach.
 * Nothing is sent for it, but credentials may have to be renewed.
 */
export async function urlSigner(
  { bucket, endpoint, publicEndpoint = endpoint }: S3Location,
  { client }: S3Connection,
): Promise<SignUrl> {
  const { url } = client.config.endpointProvider({
    Bucket: bucket,
    Region: await client.config.region(),
    ForcePathStyle: client.config.forcePathStyle === true,
    ...(publicEndpoint === undefined ? {} : { Endpoint: publicEndpoint }),
  });
  const folder = url.pathname.replace(/\/$/, '');

  return async (key, { contentType, expiresSeconds }) => {
    const signer = (await client.config.signer()) as unknown as Presigner;
    const request: PresignedRequest = {
      method: 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      path: `${folder}/${key}`,
      query: { 'response-content-type': contentType },
      headers: { host: url.host, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' },
    };
    // By the store's clock, which the SDK learns from its answers.
    const signingDate = new Date(Date.now() + client.config.systemClockOffset);
    const { query } = await s3Call(`sign a URL of ${key}`, () =>
      signer.presign(request, { expiresIn: expiresSeconds, signingDate }),
    );
    if (query === undefined) throw new FlywheelError('internal', 'the SDK signed no URL');
    return `${url.protocol}//${url.host}${request.path}?${new URLSearchParams(query).toString()}`;
  };
}
