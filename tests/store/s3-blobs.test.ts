import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { blobsContract } from '../../packages/cache/src/blobs/blobs.contract.ts';
import { connectS3 } from '../../packages/cache/src/blobs/s3-client.ts';
import { openS3Blobs } from '../../packages/cache/src/blobs/s3.ts';
import { describeEachS3 } from './s3-servers.ts';

const MIB = 1024 ** 2;

await describeEachS3('S3', (server, name) => {
  const { bucket, endpoint } = server;
  const location = { bucket, endpoint, prefix: 'cache/' };

  beforeAll(() => {
    for (const [variable, value] of Object.entries(server.env)) vi.stubEnv(variable, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server[Symbol.asyncDispose]();
  });

  blobsContract(async () => {
    const blobs = await openS3Blobs(location);
    return { blobs, dispose: async () => blobs.close() };
  });

  /** Ids of the multipart uploads of a key that are under way. */
  async function unfinished(key: string): Promise<number> {
    const { sdk, client } = await connectS3(location);
    const command = new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key });
    return (await client.send(command)).Uploads?.length ?? 0;
  }

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
        await reader?.read(all.subarray(at, at + step), at, all.length);
      }
      return all;
    };
    const gets = blobs.requests.get('GetObject') ?? 0;
    const both = await Promise.all([readAll(512 * 1024), readAll(700_001)]);
    for (const read of both) expect(read.equals(bytes)).toBe(true);
    // Told how far they go, both read from a request of their own.
    expect((blobs.requests.get('GetObject') ?? 0) - gets).toBe(2);
    const middle = Buffer.alloc(10);
    await reader?.read(middle, 20 * MIB);
    expect(middle.equals(bytes.subarray(20 * MIB, 20 * MIB + 10))).toBe(true);
    await reader?.close();
    expect(blobs.requests.get('UploadPart')).toBe(9);
    expect(blobs.requests.get('CompleteMultipartUpload')).toBe(1);
  });

  test('small gaps are read over, large ones are not', async () => {
    const blobs = await openS3Blobs(location);
    const bytes = randomBytes(2 * MIB);
    const writer = await blobs.create('aa/with-gaps.pack');
    await writer.write([bytes]);
    await writer.commit();
    const reader = await blobs.open('aa/with-gaps.pack');
    for (const at of [0, 1000, 101_000, 1_500_000]) {
      const part = Buffer.alloc(1000);
      await reader?.read(part, at, at === 1_500_000 ? bytes.length : 102_000);
      expect(part.equals(bytes.subarray(at, at + 1000)), `at ${at}`).toBe(true);
    }
    expect(blobs.requests.get('GetObject')).toBe(2);
    await reader?.close();
  });

  test('an aborted upload of several parts leaves nothing', async () => {
    const blobs = await openS3Blobs(location);
    const writer = await blobs.create('aa/aborted1.pack');
    await writer.write([randomBytes(33 * MIB)]);
    expect(await unfinished('cache/aa/aborted1.pack')).toBe(1);
    await writer.abort();
    expect(await unfinished('cache/aa/aborted1.pack')).toBe(0);
    expect(await blobs.open('aa/aborted1.pack')).toBeUndefined();
    await expect(writer.commit()).rejects.toThrow();
  });

  test('what a killed upload left in parts goes by its key, and not what is being written', async () => {
    const blobs = await openS3Blobs(location);
    const killed = await blobs.create('aa/killed-1.pack');
    await killed.write([randomBytes(9 * MIB)]);
    const alive = await blobs.create('aa/killed-11.pack');
    await alive.write([randomBytes(9 * MIB)]);
    await blobs.discard('aa/killed-1.pack');
    expect(await unfinished('cache/aa/killed-1.pack')).toBe(0);
    expect(await blobs.removeLeftovers(60_000)).toBe(0);
    await alive.commit();
    expect((await blobs.open('aa/killed-11.pack'))?.size).toBe(9 * MIB);
  });

  test('many large uploads at once hold a part each', async () => {
    const blobs = await openS3Blobs(location);
    const bytes = randomBytes(10 * MIB);
    const before = process.memoryUsage.rss();
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const writer = await blobs.create(`aa/parallel-${i}.pack`);
        for (let at = 0; at < bytes.length; at += MIB) {
          await writer.write([bytes.subarray(at, at + MIB)]);
        }
        await writer.commit();
      }),
    );
    expect((await blobs.open('aa/parallel-39.pack'))?.size).toBe(bytes.length);
    // One part of 5 MiB for each, and four more: 220 MiB.
    expect((process.memoryUsage.rss() - before) / MIB).toBeLessThan(300);
  });

  test('a signed URL lets its holder read one object for a while, by ranges too', async () => {
    const blobs = await openS3Blobs({
      ...location,
      publicEndpoint: endpoint.replace('127.0.0.1', 'localhost'),
    });
    const writer = await blobs.create('aa/signed-1.pack');
    await writer.write([Buffer.from('Hello, signed world!')]);
    await writer.commit();
    const url = await blobs.signUrl('aa/signed-1.pack', {
      contentType: 'application/x-nix-nar',
      expiresSeconds: 60,
    });
    expect(new URL(url).origin).toBe(endpoint.replace('127.0.0.1', 'localhost'));

    const whole = await fetch(url);
    expect([whole.status, await whole.text()]).toEqual([200, 'Hello, signed world!']);
    expect(whole.headers.get('content-type')).toBe('application/x-nix-nar');
    expect(whole.headers.get('content-length')).toBe('20');
    const part = await fetch(url, { headers: { Range: 'bytes=7-12' } });
    expect([part.status, await part.text()]).toEqual([206, 'signed']);
    expect(part.headers.get('content-range')).toBe('bytes 7-12/20');
    expect((await fetch(url.replace('signed-1', 'multipart'))).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    const forged = url.replace('X-Amz-Expires=60', 'X-Amz-Expires=3600');
    expect(forged).not.toBe(url);
    expect((await fetch(forged)).status).toBe(403);
  });

  test('a clock that is an hour off is found out and corrected, in signed URLs too', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    try {
      const blobs = await openS3Blobs(location);
      const writer = await blobs.create('aa/skewed-1.pack');
      await writer.write([Buffer.from('late')]);
      await writer.commit();
      const url = await blobs.signUrl('aa/skewed-1.pack', {
        contentType: 'x/y',
        expiresSeconds: 9,
      });
      expect(await (await fetch(url)).text()).toBe('late');
    } finally {
      vi.useRealTimers();
    }
  });

  test('a missing bucket and refused credentials are told apart', async () => {
    await expect(openS3Blobs({ ...location, bucket: 'no-such-bucket' })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('use the bucket no-such-bucket') as string,
      details: { hint: expect.stringContaining('create the bucket') as string },
    });
    const refused = async (variable: string, hint: string): Promise<void> => {
      vi.stubEnv(variable, 'wrong');
      await expect(openS3Blobs(location)).rejects.toMatchObject({
        code: 'forbidden',
        details: { hint: expect.stringContaining(hint) as string },
      });
      vi.stubEnv(variable, server.env[variable] ?? '');
    };
    await refused('AWS_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY');
    await refused('AWS_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID');
  });

  test(`${name} is told from nothing that listens there`, async () => {
    await expect(
      openS3Blobs({ ...location, endpoint: 'http://127.0.0.1:1' }),
    ).rejects.toMatchObject({
      code: 'unavailable',
      details: { hint: expect.stringContaining('nothing listens there') as string },
    });
  });
});
