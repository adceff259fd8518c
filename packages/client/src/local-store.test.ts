import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collect } from '@flywheel/base';
import { LocalStore } from './index.ts';
import { baseNameFor } from './test-source.ts';

// As nix 2.8 and 2.34 create them; the tables that nothing here reads are left out.
const SCHEMA = `
  pragma journal_mode = wal;
  create table ValidPaths (
    id integer primary key autoincrement not null, path text unique not null, hash text not null,
    registrationTime integer not null, deriver text, narSize integer, ultimate integer, sigs text,
    ca text);
  create table Refs (referrer integer not null, reference integer not null,
    primary key (referrer, reference));
  create index IndexReferrer on Refs(referrer);`;

let root: string;
let database: DatabaseSync;
let store: LocalStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flywheel-store-'));
  mkdirSync(join(root, 'nix/var/nix/db'), { recursive: true });
  mkdirSync(join(root, 'nix/store'), { recursive: true });
  database = new DatabaseSync(join(root, 'nix/var/nix/db/db.sqlite'));
  database.exec(SCHEMA);
  store = new LocalStore({ root });
});
afterEach(() => {
  database.close();
  rmSync(root, { recursive: true });
});

const HASH = 'sha256:10551daed7fa467d0b58826e7eb9a0f2af7d693de319f2ef775fffcda244b9f6';

function pathOf(name: string): string {
  return `/nix/store/${baseNameFor(name)}`;
}

function register(name: string, references: readonly string[] = []): void {
  database
    .prepare('insert into ValidPaths (path, hash, registrationTime, narSize) values (?, ?, 1, 120)')
    .run(pathOf(name), HASH);
  const refer = database.prepare(
    `insert into Refs select a.id, b.id from ValidPaths a, ValidPaths b
     where a.path = ? and b.path = ?`,
  );
  for (const reference of references) refer.run(pathOf(name), pathOf(reference));
}

test('a path as Nix registered it', async () => {
  register('lib');
  register('hello', ['lib', 'hello']);
  database
    .prepare('update ValidPaths set deriver = ?, sigs = ?, ca = ? where path = ?')
    .run(pathOf('hello.drv'), 'a-1:AAAA b-1:BBBB', 'text:sha256:0', pathOf('hello'));
  const hello = await store.queryPath(pathOf('hello'));
  expect(hello).toEqual({
    storePath: pathOf('hello'),
    references: [baseNameFor('lib'), baseNameFor('hello')].toSorted(),
    narHash: Buffer.from(HASH.slice(7), 'hex'),
    narSize: 120,
    deriver: baseNameFor('hello.drv'),
    ca: 'text:sha256:0',
    sigs: ['a-1:AAAA', 'b-1:BBBB'],
    nar: expect.any(Function) as unknown,
  });
  writeFileSync(join(root, pathOf('hello')), 'hi\n');
  expect((await collect(hello?.nar() ?? [], 1000)).length).toBe(120);
  expect(await store.queryPath(pathOf('other'))).toBeUndefined();
});

test('a closure has what a path refers to before the path itself', async () => {
  register('glibc', ['glibc']);
  register('zlib', ['glibc']);
  register('openssl', ['zlib', 'glibc']);
  register('curl', ['openssl', 'zlib', 'curl']);
  register('unrelated', ['curl']);
  const closure = await store.closure([pathOf('curl'), pathOf('zlib'), pathOf('curl')]);
  expect(closure.map(({ storePath }) => storePath)).toEqual(
    ['glibc', 'zlib', 'openssl', 'curl'].map(pathOf),
  );
  expect(closure[3]?.references).toEqual(['curl', 'openssl', 'zlib'].map(baseNameFor).toSorted());
  expect(await store.closure([])).toEqual([]);
});

test('a path that is not valid is named', async () => {
  register('lib');
  await expect(store.closure([pathOf('lib'), pathOf('gone')])).rejects.toMatchObject({
    code: 'not-found',
    message: `${pathOf('gone')} is not a valid path of the local Nix store`,
  });
});

test('reads while Nix writes, and does not keep it from writing', async () => {
  register('lib');
  database.exec('begin immediate');
  register('half');
  expect(await store.queryPath(pathOf('lib'))).toMatchObject({ storePath: pathOf('lib') });
  expect(await store.queryPath(pathOf('half'))).toBeUndefined();
  database.exec('commit');
  expect(await store.queryPath(pathOf('half'))).toMatchObject({ storePath: pathOf('half') });
  // A reader that stayed would keep the log from being emptied.
  const checkpoint = database.prepare('pragma wal_checkpoint(truncate)').get();
  expect(checkpoint).toMatchObject({ busy: 0, log: 0 });
});

test('a locked database is waited for', async () => {
  database.exec('pragma journal_mode = delete');
  register('lib');
  database.exec('begin exclusive');
  setTimeout(() => database.exec('commit'), 150);
  expect(await store.queryPath(pathOf('lib'))).toMatchObject({ storePath: pathOf('lib') });
});

test('no database, and one that is none', async () => {
  const elsewhere = new LocalStore({ root: join(root, 'elsewhere') });
  await expect(elsewhere.queryPath(pathOf('lib'))).rejects.toMatchObject({
    code: 'not-found',
    message: `there is no Nix database ${root}/elsewhere/nix/var/nix/db/db.sqlite`,
  });
  mkdirSync(join(root, 'damaged/nix/var/nix/db'), { recursive: true });
  writeFileSync(join(root, 'damaged/nix/var/nix/db/db.sqlite'), 'not a database'.repeat(1000));
  const damaged = new LocalStore({ root: join(root, 'damaged') });
  await expect(damaged.queryPath(pathOf('lib'))).rejects.toMatchObject({ code: 'corrupt' });
});

test('a closure of 10,000 paths, one of which refers to 2,500 others, takes under 2 seconds', async () => {
  database.exec('begin');
  const insert = database.prepare(
    'insert into ValidPaths (id, path, hash, registrationTime, narSize) values (?, ?, ?, 1, 120)',
  );
  const refer = database.prepare('insert or ignore into Refs values (?, ?)');
  for (let id = 1; id <= 10_000; id += 1) insert.run(id, pathOf(`p${id}`), HASH);
  // One chain through all of them, each with some more, and one that refers to very many.
  for (let id = 2; id <= 10_000; id += 1) {
    for (const reference of [id - 1, Math.ceil(id / 2), Math.ceil(id / 3), id]) {
      refer.run(id, reference);
    }
  }
  for (let id = 1; id <= 2500; id += 1) refer.run(10_000, id * 3);
  database.exec('commit');
  const startedAt = performance.now();
  const closure = await store.closure([pathOf('p10000')]);
  const seconds = (performance.now() - startedAt) / 1000;
  expect(closure.length).toBe(10_000);
  expect(closure.at(-1)?.references.length).toBeGreaterThan(2500);
  const position = new Map(closure.map(({ storePath }, index) => [storePath.slice(11), index]));
  for (const [index, path] of closure.entries()) {
    const after = path.references.filter((name) => (position.get(name) ?? Infinity) > index);
    expect(after).toEqual([]);
  }
  expect(seconds).toBeLessThan(2);
});

test('what a user names is found: a path, something in it, a link to it', () => {
  const local = new LocalStore();
  const hello = pathOf('hello');
  const link = join(root, 'result');
  symlinkSync(`${hello}/bin/hello`, link);
  symlinkSync('result', join(root, 'again'));
  expect(
    [hello, `${hello}/bin/x`, link, join(root, 'again')].map((path) => local.resolve(path)),
  ).toEqual([hello, hello, hello, hello]);
  expect(() => local.resolve(root)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  expect(() => local.resolve('/nix/store/short')).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
  symlinkSync('loop', join(root, 'loop'));
  expect(() => local.resolve(join(root, 'loop'))).toThrow(/too many symlinks/);
});
