import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { figure, isMissing, startVersity } from '@flywheel/testing';
import type { CacheProcess, S3Server } from '@flywheel/testing';
import { CACHE, startServer, uploadOf } from './attic-server.ts';
import { GIB, MIB, narBytes } from './bench.ts';
import { transferAll } from './curl.ts';
import { makeWorkload, type PreparedNar } from './workload.ts';

const CONDITIONS = { seed: 1, paths: 64, bytes: 200 * MIB, changed: 0.05 };

/** One for each pack, more for those over 8 MiB. An object for each 64 KiB would be 16,384. */
const MAX_PUSH = 1000;
/** A look at the pack and a GET for each NAR, more where it lies in several. */
const MAX_PULL = 2000;

const folder = mkdtempSync(join(tmpdir(), 'bench-s3-'));

afterAll(() => rm(folder, { recursive: true }));

/** Requests to the object store since the start, by operation. */
async function requestsOf(server: CacheProcess): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${server.url}metrics`)).text();
  const lines = text.matchAll(/^flywheel_cache_s3_requests_total\{operation="(\w+)"\} (\d+)$/gm);
  return new Map([...lines].map(([, operation = '', count]) => [operation, Number(count)]));
}

/** What `work` makes of them, all but the probes of the server's readiness. */
async function countDuring(server: CacheProcess, work: () => Promise<unknown>): Promise<number> {
  const before = await requestsOf(server);
  await work();
  let count = 0;
  for (const [operation, total] of await requestsOf(server)) {
    const more = total - (before.get(operation) ?? 0);
    if (operation !== 'HeadBucket') count += more;
  }
  return count;
}

test('requests to S3 for each GiB of NARs', { timeout: 600_000 }, async ({ skip }) => {
  skip(!existsSync('/usr/bin/curl'), 'curl is not installed');
  const found = await startVersity();
  skip(isMissing(found), isMissing(found) ? found.missing : '');
  await using s3 = found as S3Server;
  const workload = await makeWorkload(join(folder, 'nars'), CONDITIONS);
  const args = ['--s3-bucket', s3.bucket, '--s3-endpoint', s3.endpoint];
  await using server = await startServer({ args, env: s3.env });
  const unchanged = new Set(workload.first.map(({ hash }) => hash));
  const changed = workload.second.filter(({ hash }) => !unchanged.has(hash));
  expect(changed.length).toBeGreaterThan(0);

  const push = (nars: readonly PreparedNar[]) => () =>
    transferAll(
      nars.map((nar) => uploadOf(server, nar)),
      { folder, parallel: 5 },
    );
  const pull = (nars: readonly PreparedNar[]) => () =>
    transferAll(
      nars.map(({ hash }) => ({ url: `${server.url}${CACHE}/nar/${hash}.nar` })),
      { folder, parallel: 4 },
    );
  for (const [name, nars, work, max] of [
    ['push, first version', workload.first, push, MAX_PUSH],
    ['push, second version', changed, push, MAX_PUSH],
    ['pull, first version', workload.first, pull, MAX_PULL],
    ['pull, second version', changed, pull, MAX_PULL],
  ] as const) {
    const requests = await countDuring(server, work(nars));
    figure(`S3 requests, ${name}`, (requests * GIB) / narBytes(nars), '/GiB', { max });
  }
});
