import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, sql } from 'kysely';
import { expect, test } from 'vitest';
import { ArrayCompiler } from './array-compiler.ts';
import type { Schema } from './schema.ts';

const db = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
    createQueryCompiler: () => new ArrayCompiler(),
  },
});
const packs = db.selectFrom('pack').select('id');

test('a list of values is one array, whatever they are', () => {
  const { sql: text, parameters } = packs.where('id', 'in', [1, 2]).where('lost', '=', 0).compile();
  expect(text).toBe('select "id" from "pack" where "id" = any($1) and "lost" = $2');
  expect(parameters).toEqual([[1, 2], 0]);
  const hashes = [Buffer.from('a'), Buffer.from('b')];
  expect(db.selectFrom('chunk').where('hash', 'in', hashes).compile().parameters).toEqual([hashes]);
});

test('a query, a tuple, and what is not to be in a list, stay as they are', () => {
  const query = packs.where('id', 'in', db.selectFrom('nar_pack').select('pack_id'));
  expect(query.compile().sql).toBe(
    'select "id" from "pack" where "id" in (select "pack_id" from "nar_pack")',
  );
  const mixed = packs.where('id', 'in', [1, sql.lit<number>(2)]);
  expect(mixed.compile().sql).toBe('select "id" from "pack" where "id" in ($1, 2)');
  expect(packs.where('id', 'not in', [1, 2]).compile().sql).toContain('"id" not in ($1, $2)');
});
