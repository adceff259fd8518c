import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { blobsContract } from './blobs.contract.ts';
import { openFolderBlobs } from './folder.ts';

describe('a folder', () => {
  blobsContract(async () => {
    const root = await mkdtemp(join(tmpdir(), 'flywheel-blobs-'));
    return {
      blobs: await openFolderBlobs(root),
      dispose: () => rm(root, { recursive: true }),
    };
  });

  test('leftovers of a killed process go, foreign files stay and are not listed', async () => {
    const root = await mkdtemp(join(tmpdir(), 'flywheel-blobs-'));
    const blobs = await openFolderBlobs(root);
    const killed = await blobs.create('aa/aaaaaaaa.pack');
    await killed.write([Buffer.from('half')]);
    const done = await blobs.create('aa/bbbbbbbb.pack');
    await done.commit();
    await writeFile(join(root, 'packs', 'aa', 'notes.txt'), 'mine');
    await writeFile(join(root, 'packs', 'README'), 'mine');
    expect(await blobs.removeLeftovers(60_000)).toBe(0);
    expect(await (await openFolderBlobs(root)).removeLeftovers(0)).toBe(1);
    expect(await readdir(join(root, 'tmp'))).toEqual([]);
    expect((await Array.fromAsync(blobs.list())).map(({ key }) => key)).toEqual([
      'aa/bbbbbbbb.pack',
    ]);
    expect((await readdir(join(root, 'packs', 'aa'))).toSorted()).toEqual([
      'bbbbbbbb.pack',
      'notes.txt',
    ]);
    await killed.abort();
    await rm(root, { recursive: true });
  });
});
