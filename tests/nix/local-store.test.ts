import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentAddressed, LocalStore, narOfPath, unpackNar } from '@flywheel/client';
import { buildClosure } from '@flywheel/testing';
import type { BuiltClosure, NixStore } from '@flywheel/testing';
import { describeEachNix } from './each-nix.ts';

const DATABASE = 'nix/var/nix/db/db.sqlite';
/** Nobody, who may not write where Nix keeps its database. */
const NOBODY = 65_534;

describeEachNix('the local store', (nix) => {
  let store: NixStore;
  let local: LocalStore;
  let closure: BuiltClosure;
  beforeAll(async () => {
    store = await nix.openStore();
    closure = await buildClosure(store, { paths: 40 });
    local = new LocalStore({ root: join(store.folder, 'root') });
  }, 120_000);
  afterAll(() => store?.[Symbol.asyncDispose]());

  test('has the closure that nix has, references first', async () => {
    const sources = await local.closure([closure.root]);
    const paths = sources.map(({ storePath }) => storePath);
    expect(paths.toSorted()).toEqual(closure.paths.toSorted());
    for (const { storePath, references } of sources) {
      const known = await store.mustRun(['nix-store', '--query', '--references', storePath]);
      const expected = known.split('\n').filter((path) => path !== '');
      expect(references).toEqual(
        expected.map((path) => path.slice('/nix/store/'.length)).toSorted(),
      );
      const before = paths.slice(0, paths.indexOf(storePath) + 1);
      expect(before).toEqual(expect.arrayContaining(expected));
    }
  });

  test('gives NARs with the hashes and sizes that nix registered', async () => {
    for (const source of await local.closure([closure.root])) {
      const hash = createHash('sha256');
      let size = 0;
      for await (const piece of source.nar()) {
        hash.update(piece);
        size += piece.length;
      }
      expect([size, hash.digest('hex')]).toEqual([source.narSize, source.narHash.toString('hex')]);
    }
  });

  test('names a tree as nix-store --add does', async () => {
    const path = join(store.folder, 'tree');
    const added = await store.mustRun(['nix-store', '--add', path]);
    const source = await contentAddressed({ name: 'tree', tree: () => narOfPath(path) });
    const registered = await local.queryPath(added);
    expect(source.storePath).toBe(added);
    expect(source.ca).toBe(registered?.ca);
    expect(source.narHash).toEqual(registered?.narHash);
  });

  test('unpacks what nix dumps, and nix dumps the same again', async () => {
    for (const source of (await local.closure([closure.root])).slice(0, 12)) {
      const target = join(store.folder, `unpacked-${source.storePath.slice(11)}`);
      await unpackNar(source.nar(), target);
      const hashes = [store.realPath(source.storePath), target].map((path) =>
        store.mustRun(['nix-hash', '--type', 'sha256', '--base32', path]),
      );
      const [original, unpacked] = await Promise.all(hashes);
      expect(unpacked).toBe(original);
    }
  });

  test('is read while nix adds to it', async () => {
    const adding = (async () => {
      for (let i = 0; i < 20; i += 1) {
        const path = join(store.folder, `added-${i}`);
        await writeFile(path, `${i}\n`);
        await store.mustRun(['nix-store', '--add', path]);
      }
    })();
    const progress = { done: false };
    const finished = adding.finally(() => {
      progress.done = true;
    });
    let reads = 0;
    while (!progress.done) {
      expect((await local.closure([closure.root])).length).toBe(40);
      reads += 1;
      await new Promise(setImmediate);
    }
    await finished;
    expect(reads).toBeGreaterThan(20);
  });

  test('is read by who may not write to it', async ({ skip }) => {
    if (process.geteuid?.() !== 0) skip('only root can become somebody else');
    // Below /tmp all folders are open to everybody; those of the store are not.
    const root = await mkdtemp(join(tmpdir(), 'flywheel-nobody-'));
    try {
      await chmod(root, 0o755);
      const copy = join(root, DATABASE);
      await mkdir(dirname(copy), { recursive: true });
      await checkpoint(join(store.folder, 'root', DATABASE));
      await cp(join(store.folder, 'root', DATABASE), copy);
      const asNobody = new LocalStore({ root });
      expect((await as(NOBODY, () => asNobody.closure([closure.root]))).length).toBe(40);
      expect(await exists(`${copy}-shm`)).toBe(false);

      // With Nix at work its files are there, and what it has just written is seen.
      const writer = new DatabaseSync(copy);
      writer.exec(`update ValidPaths set sigs = 'k:A' where path = '${closure.root}'`);
      const read = await as(NOBODY, () => asNobody.queryPath(closure.root));
      expect(read?.sigs).toEqual(['k:A']);
      await cp(`${copy}-wal`, `${copy}-kept`);
      writer.close();

      // A Nix that was killed, and its -shm lost: what is only in the log must not be overlooked.
      await cp(`${copy}-kept`, `${copy}-wal`);
      await expect(as(NOBODY, () => asNobody.queryPath(closure.root))).rejects.toMatchObject({
        code: 'forbidden',
        details: { hint: expect.stringContaining('as root') as string },
      });
    } finally {
      await rm(root, { recursive: true });
    }
  });
});

async function as<T>(user: number, work: () => Promise<T>): Promise<T> {
  process.seteuid?.(user);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** Everything into the database itself, as the last program that closes it does. */
async function checkpoint(file: string): Promise<void> {
  const database = new DatabaseSync(file);
  database.exec('pragma wal_checkpoint(truncate)');
  database.close();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
