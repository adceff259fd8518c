import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { figure, startCacheProcess } from '@flywheel/testing';
import { createCache, missingPaths, uploadPath, verifyPath } from './attic-client.ts';
import { costOf } from '../bench/process-cost.ts';
import { generatePath, realisticBytes } from './sample-nars.ts';

const MIB = 1024 ** 2;
const PARALLEL = 16;
const SIZE = 1024 * MIB;
/** Of each NAR so much is its own; the rest is what the others have too, as in a rebuilt closure. */
const OWN = 48 * MIB;

test('sixteen NARs of 1 GiB at once go up in bounded memory', { timeout: 900_000 }, async () => {
  const common = [...realisticBytes(64 * MIB, randomBytes(8).toString('hex'))];
  const paths = await Promise.all(
    Array.from({ length: PARALLEL }, (_, i) =>
      generatePath(`gib-${i}`, SIZE, function* contents() {
        yield* realisticBytes(OWN, `own ${i}`);
        for (let done = OWN; done < SIZE;) {
          for (const block of common) {
            const piece = block.subarray(0, Math.min(block.length, SIZE - done));
            done += piece.length;
            if (piece.length > 0) yield piece;
          }
        }
      }),
    ),
  );
  await using server = await startCacheProcess();
  await createCache(server, 'main');

  const started = performance.now();
  const [, cost] = await costOf(server.pid, () =>
    Promise.all(paths.map((path) => uploadPath(server, 'main', path))),
  );
  const seconds = (performance.now() - started) / 1000;

  expect((await missingPaths(server, 'main', paths)).size).toBe(0);
  await verifyPath(server, 'main', paths[0]!);
  await verifyPath(server, 'main', paths.at(-1)!);
  figure('16 x 1 GiB up: peak resident memory', cost.peakBytes / MIB, 'MiB', { max: 250 });
  figure('16 x 1 GiB up: CPU', cost.cpuSeconds, 's');
  figure('16 x 1 GiB up: rate', (PARALLEL * SIZE) / MIB / seconds, 'MiB/s');
});
