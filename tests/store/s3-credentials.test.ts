import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing, startCacheProcess, startMinio } from '@flywheel/testing';
import type { S3Server } from '@flywheel/testing';
import { connectS3 } from '../../packages/cache/src/blobs/s3-client.ts';
import { createCache, uploadPath } from './attic-client.ts';
import { generatePath } from './sample-nars.ts';

const found = await startMinio();
const s3 = found as S3Server;
let folder: string;
let issuer: Server;
let issuerUrl: string;
/** What was asked of the issuer, as form fields or as a path. */
let asked: string[] = [];

interface Keys {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
  readonly Expiration: string;
}

/** Temporary keys of MinIO's own STS, which it gives to holders of keys. */
async function temporaryKeys(): Promise<Keys> {
  const { client } = await connectS3({ bucket: s3.bucket, endpoint: s3.endpoint });
  const signer = await client.config.signer();
  const { host, hostname, port } = new URL(s3.endpoint);
  const body = 'Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600';
  const request = {
    method: 'POST',
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: '/',
    query: {},
    headers: { host, 'content-type': 'application/x-www-form-urlencoded' },
    body,
  };
  const { headers } = await signer.sign(request, { signingService: 'sts' });
  const answer = await (await fetch(s3.endpoint, { method: 'POST', headers, body })).text();
  const field = (name: string): string =>
    new RegExp(`<${name}>(.+?)</${name}>`).exec(answer)?.[1] ?? '';
  return {
    AccessKeyId: field('AccessKeyId'),
    SecretAccessKey: field('SecretAccessKey'),
    SessionToken: field('SessionToken'),
    Expiration: field('Expiration'),
  };
}

/** Plays AWS's STS and the endpoint of a container's role: both pass MinIO's keys on. */
async function startIssuer(): Promise<void> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const keys = await temporaryKeys();
    if (request.method === 'GET') {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ ...keys, Token: keys.SessionToken }));
      return;
    }
    asked.push(await text(request));
    const fields = Object.entries(keys).map(([name, value]) => `<${name}>${value}</${name}>`);
    response.setHeader('Content-Type', 'text/xml');
    response.end(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <Credentials>${fields.join('')}</Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`);
  };
  issuer = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  if (isMissing(found)) return;
  Object.assign(process.env, s3.env);
  folder = await mkdtemp(join(tmpdir(), 'flywheel-credentials-'));
  await startIssuer();
});

afterAll(async () => {
  if (isMissing(found)) return;
  issuer.close();
  await s3[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const args = (): readonly string[] => ['--s3-bucket', s3.bucket, '--s3-endpoint', s3.endpoint];

/** Through the server, and past it by a URL that it has signed. */
async function pushAndPull(env: Readonly<Record<string, string>>): Promise<void> {
  const redirect = [...args(), '--downloads', 'redirect'];
  await using server = await startCacheProcess({ args: redirect, env });
  const path = await generatePath('hello', 5, () => [Buffer.from('hello')]);
  await createCache(server, 'main');
  await uploadPath(server, 'main', path);
  const redirected = await fetch(`${server.url}main/nar/${path.hash}.nar`);
  expect([redirected.status, new URL(redirected.url).origin]).toEqual([200, s3.endpoint]);
  expect((await redirected.arrayBuffer()).byteLength).toBeGreaterThan(100);
}

if (isMissing(found)) test('credentials of S3', ({ skip }) => skip(found.missing));

describe.skipIf(isMissing(found))('credentials of S3', () => {
  test('from the environment', () => pushAndPull(s3.env));

  test('from a profile of a shared file', async () => {
    const file = join(folder, 'credentials');
    await writeFile(
      file,
      `[cache]
aws_access_key_id = ${s3.env['AWS_ACCESS_KEY_ID']}
aws_secret_access_key = ${s3.env['AWS_SECRET_ACCESS_KEY']}
`,
    );
    await pushAndPull({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'cache' });
  });

  test('by the web identity of a service account', async () => {
    const token = join(folder, 'token');
    await writeFile(token, 'token-of-the-cluster');
    asked = [];
    await pushAndPull({
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/nix-cache',
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ENDPOINT_URL_STS: issuerUrl,
    });
    // Once, however many requests follow.
    expect(asked).toHaveLength(1);
    const form = new URLSearchParams(asked[0]);
    expect(form.get('Action')).toBe('AssumeRoleWithWebIdentity');
    expect(form.get('RoleArn')).toBe('arn:aws:iam::123456789012:role/nix-cache');
    expect(form.get('WebIdentityToken')).toBe('token-of-the-cluster');
  });

  test('by the role of a container', async () => {
    asked = [];
    await pushAndPull({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${issuerUrl}/role`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'of-the-pod',
    });
    expect(asked).toEqual(['/role of-the-pod']);
  });

  test('without any, a start says where they may come from', async () => {
    const env = { AWS_EC2_METADATA_DISABLED: 'true' };
    await expect(startCacheProcess({ args: args(), env })).rejects.toThrow(
      /use the bucket flywheel-test: Could not load credentials.*AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE/s,
    );
  });

  test('a bucket that is not there is said to be missing', async () => {
    const missing = ['--s3-bucket', 'nowhere', '--s3-endpoint', s3.endpoint];
    await expect(startCacheProcess({ args: missing, env: s3.env })).rejects.toThrow(
      /use the bucket nowhere: .*create the bucket, or correct its name/s,
    );
  });
});
