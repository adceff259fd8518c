import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '@flywheel/base';
import {
  samplePath,
  startTestServer,
  upload,
  type SamplePath,
  type TestServer,
} from '../protocol/harness.ts';
import { realisticBytes } from './sample-nars.ts';

const IS_ROOT = process.getuid?.() === 0;
const MIB = 1024 * 1024;

const INSUFFICIENT = {
  code: 507,
  error: 'InsufficientStorage',
  message: 'The server has no space left; nothing of this request was stored.',
};

describe.skipIf(!IS_ROOT)('a server whose disk becomes full (needs root, to mount one)', () => {
  let disk = '';
  let elsewhere = '';
  let server: TestServer | undefined;
  let lines: string[] = [];
  let small: SamplePath;
  let large: SamplePath;

  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'flywheel-disk-'));
    elsewhere = await mkdtemp(join(tmpdir(), 'flywheel-packs-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
    lines = [];
    small = await samplePath('small', 'small');
    large = await samplePath('large', Buffer.concat([...realisticBytes(4 * MIB, 'large')]));
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    execFileSync('umount', [disk]);
    for (const folder of [disk, elsewhere]) await rm(folder, { recursive: true });
  });

  async function start(): Promise<TestServer> {
    const logger = createLogger((line) => lines.push(line));
    const started = await startTestServer({ dataDir: join(disk, 'data'), logger });
    await started.createCache('pub', { is_public: true });
    expect((await upload(started, small, 'pub')).status).toBe(200);
    return (server = started);
  }

  async function fill(): Promise<void> {
    const { bavail, bsize } = await statfs(disk);
    await writeFile(join(disk, 'fill'), Buffer.alloc(bavail * bsize));
    expect((await statfs(disk)).bavail).toBe(0);
  }

  async function expectReadable(here: TestServer, path: SamplePath): Promise<void> {
    expect((await here.request('GET', '/pub/nix-cache-info')).status).toBe(200);
    expect((await here.request('GET', `/pub/${path.hash}.narinfo`)).status).toBe(200);
    expect((await here.request('GET', `/pub/nar/${path.hash}.nar`)).status).toBe(200);
    expect((await here.request('GET', `/pub/${path.hash}.ls`)).status).toBe(200);
    expect((await here.request('GET', '/readyz')).status).toBe(200);
  }

  async function packFiles(folder: string): Promise<readonly string[]> {
    const names = await readdir(folder, { recursive: true });
    return names.filter((name) => name.endsWith('.pack'));
  }

  test('refuses a pack that does not fit as a whole, and serves on', async () => {
    const here = await start();
    await fill();
    const refused = await upload(here, large, 'pub');
    expect([refused.status, refused.json()]).toEqual([507, INSUFFICIENT]);
    expect((await here.request('GET', `/pub/${large.hash}.narinfo`)).status).toBe(404);
    expect(await readdir(join(here.dataDir, 'tmp'))).toEqual([]);
    expect(await packFiles(join(here.dataDir, 'packs'))).toHaveLength(1);
    await expectReadable(here, small);

    await rm(join(disk, 'fill'));
    expect((await upload(here, large, 'pub')).json()).toMatchObject({ kind: 'Uploaded' });
    await expectReadable(here, large);
  });

  test('refuses what the database has no room for, and leaves no pack behind', async () => {
    // The packs have another disk, so that only the database is in want.
    const data = join(disk, 'data');
    await mkdir(data);
    for (const name of ['packs', 'tmp']) {
      await mkdir(join(elsewhere, name));
      await symlink(join(elsewhere, name), join(data, name));
    }
    const here = await start();
    await fill();
    // Pages of the write-ahead log that are there already take a few more commits.
    const refusals: unknown[] = [];
    const taken: SamplePath[] = [small];
    for (let i = 0; refusals.length < 3 && i < 2000; i += 1) {
      const path = await samplePath(`small-${i}`, `content ${i}`);
      const reply = await upload(here, path, 'pub');
      if (reply.status === 200) taken.push(path);
      else refusals.push(reply.json());
    }
    expect(refusals).toEqual([INSUFFICIENT, INSUFFICIENT, INSUFFICIENT]);
    expect(await packFiles(join(elsewhere, 'packs'))).toHaveLength(taken.length);
    expect(await readdir(join(elsewhere, 'tmp'))).toEqual([]);
    await expectReadable(here, small);
    await expectReadable(here, taken.at(-1) as SamplePath);
  });

  test('ends well, its last-use times lost and said to be', async () => {
    const data = join(disk, 'data');
    const here = await start();
    await fill();
    await expectReadable(here, small);
    await here.close();
    server = undefined;
    await rm(join(disk, 'fill'));

    const again = await startTestServer({ dataDir: data });
    server = again;
    await expectReadable(again, small);
    const levels = lines.map((line) => (JSON.parse(line) as { level: string }).level);
    expect(levels).not.toContain('error');
  });
});
