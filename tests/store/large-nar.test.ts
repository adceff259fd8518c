import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { figure, startCacheProcess } from '@flywheel/testing';
import { createCache, uploadPath, verifyPath } from './attic-client.ts';
import { costOf } from '../bench/process-cost.ts';
import { generatePath, realisticBytes } from './sample-nars.ts';

const GIB = 1024 ** 3;

test('a NAR of 4 GiB goes up and comes down in bounded memory', async ({ skip }) => {
  const { bavail, bsize } = await statfs(tmpdir());
  skip(bavail * bsize < 6 * GIB, `${tmpdir()} has less than 6 GiB free`);
  const size = 4 * GIB;
  const path = await generatePath('four-gib', size, () => realisticBytes(size, 'large'));
  expect(path.narSize).toBeGreaterThan(size);
  await using server = await startCacheProcess();
  await createCache(server, 'main');

  const started = performance.now();
  const [, up] = await costOf(server.pid, () => uploadPath(server, 'main', path));
  const seconds = (performance.now() - started) / 1000;
  const [, down] = await costOf(server.pid, () => verifyPath(server, 'main', path));

  const mib = (bytes: number) => Math.round(bytes / 1024 / 1024);
  figure('4 GiB up: peak resident memory', mib(up.peakBytes), 'MiB', { max: 200 });
  figure('4 GiB down: peak resident memory', mib(down.peakBytes), 'MiB', { max: 200 });
  figure('4 GiB up: CPU', up.cpuSeconds, 's');
  figure('4 GiB up: rate', Math.round(size / 1024 / 1024 / seconds), 'MiB/s');
});
