import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing, startVersity, type S3Server } from '@flywheel/testing';
import { blobsContract } from '../../packages/cache/src/blobs/blobs.contract.ts';
import { openS3Blobs } from '../../packages/cache/src/blobs/s3.ts';

const versity = await startVersity();
const MIB = 1024 ** 2;

describe.skipIf(isMissing(versity))('S3, the Versity gateway', () => {
  const server = versity as S3Server;
  const location = { bucket: server.bucket, endpoint: server.endpoint, prefix: 'cache/' };

  beforeAll(() => {
    Object.assign(process.env, server.env);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  blobsContract(async () => ({ blobs: await openS3Blobs(location), dispose: async () => {} }));

  test('an object of several parts is read in order, in parts, and by two at once', async () => {
    const blobs = await openS3Blobs(location);
    const bytes = randomBytes(40 * MIB + 123);
    const writer = await blobs.create('aa/multipart.pack');
    for (let at = 0; at < bytes.length; at += MIB)
      await writer.write([bytes.subarray(at, at + MIB)]);
    await writer.commit();

    const reader = await blobs.open('aa/multipart.pack');
    expect(reader?.size).toBe(bytes.length);
    const readAll = async (step: number): Promise<Buffer> => {
      const all = Buffer.alloc(bytes.length);
      for (let at = 0; at < all.length; at += step) {
        await reader?.read(all.subarray(at, at + step), at);
      }
      return all;
    };
    const both = await Promise.all([readAll(512 * 1024), readAll(700_001)]);
    for (const read of both) expect(read.equals(bytes)).toBe(true);
    const middle = Buffer.alloc(10);
    await reader?.read(middle, 20 * MIB);
    expect(middle.equals(bytes.subarray(20 * MIB, 20 * MIB + 10))).toBe(true);
    await reader?.close();
  });

  test('an aborted upload of several parts leaves nothing', async () => {
    const blobs = await openS3Blobs(location);
    const writer = await blobs.create('aa/aborted1.pack');
    await writer.write([randomBytes(33 * MIB)]);
    await writer.abort();
    expect(await blobs.open('aa/aborted1.pack')).toBeUndefined();
    await expect(writer.commit()).rejects.toThrow();
  });

  test('a missing bucket and refused credentials are told apart', async () => {
    await expect(openS3Blobs({ ...location, bucket: 'no-such-bucket' })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('use the bucket no-such-bucket') as string,
    });
    process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong';
    try {
      await expect(openS3Blobs(location)).rejects.toMatchObject({
        code: 'forbidden',
        details: { hint: expect.stringContaining('AWS_SECRET_ACCESS_KEY') as string },
      });
    } finally {
      Object.assign(process.env, server.env);
    }
  });

  test('nothing listens there', async () => {
    await expect(
      openS3Blobs({ ...location, endpoint: 'http://127.0.0.1:1' }),
    ).rejects.toMatchObject({ code: 'unavailable' });
  });
});

test.runIf(isMissing(versity))('S3, the Versity gateway', ({ skip }) => {
  skip(true, isMissing(versity) ? versity.missing : '');
});
