import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { figure, isMissing, startCacheProcess, startVersity } from '@flywheel/testing';
import type { CacheProcess, S3Server } from '@flywheel/testing';
import { costOf } from '../bench/process-cost.ts';
import { createCache, uploadPath, verifyPath } from './attic-client.ts';
import { generatePath, realisticBytes } from './sample-nars.ts';

const MIB = 1024 ** 2;
const PARALLEL = 16;
const SIZE = 128 * MIB;

test(`${PARALLEL} pushes at once go to S3 in bounded memory, and come back`, async ({ skip }) => {
  const found = await startVersity();
  skip(isMissing(found), isMissing(found) ? found.missing : '');
  await using s3 = found as S3Server;
  const paths = await Promise.all(
    Array.from({ length: PARALLEL }, (_, i) =>
      generatePath(`large-${i}`, SIZE, () => realisticBytes(SIZE, `large ${i}`)),
    ),
  );
  const args = ['--s3-bucket', s3.bucket, '--s3-endpoint', s3.endpoint];
  const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-s3-load-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const start = (): Promise<CacheProcess> => startCacheProcess({ dataDir, args, env: s3.env });
  const server = await start();
  await createCache(server, 'main');

  const started = performance.now();
  const [, up] = await costOf(server.pid, () =>
    Promise.all(paths.map((path) => uploadPath(server, 'main', path))),
  );
  const seconds = (performance.now() - started) / 1000;
  // A process of its own: what an upload has used is not given back.
  await server[Symbol.asyncDispose]();
  await using again = await start();
  const [, down] = await costOf(again.pid, () =>
    Promise.all(paths.map((path) => verifyPath(again, 'main', path))),
  );

  // Of that, 100 MiB are parts: one of 5 MiB for each upload, which is the least that S3 takes, and
  // four more. A folder takes 211 MiB and 114.
  const mib = (bytes: number): number => Math.round(bytes / MIB);
  const name = `${PARALLEL} × ${mib(SIZE)} MiB`;
  figure(`${name} to S3: peak resident memory`, mib(up.peakBytes), 'MiB', { max: 400 });
  figure(`${name} from S3: peak resident memory`, mib(down.peakBytes), 'MiB', { max: 250 });
  figure(`${name} to S3: rate`, Math.round((PARALLEL * SIZE) / MIB / seconds), 'MiB/s');
  expect(paths).toHaveLength(PARALLEL);
});
