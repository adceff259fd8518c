import { sql } from 'kysely';
import { generateSecretKey } from '@flywheel/nix';
import type { DatabaseHandle } from './database.ts';

/** Chunks of each pack, and bytes of each. */
const CHUNKS = 5;
const CHUNK_BYTES = 12_000;

export interface BulkStore {
  readonly paths: number;
  readonly chunks: number;
}

/**
 * Fills a migrated database with the cache `bulk` of so many paths, each with a pack, a NAR, a
 * listing, five chunks and five references. The even ones were used 100 days ago, the odd ones now,
 * and refer only to their like. The database makes the rows itself: a million take seconds.
 */
export async function fillBulkStore(
  { kind, db }: DatabaseHandle,
  paths: number,
): Promise<BulkStore> {
  const isSqlite = kind === 'sqlite';
  const numbers = (count: number): string =>
    isSqlite
      ? `(with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count}) select i from n)`
      : `(select i from generate_series(1::bigint, ${count}) as i)`;
  const blob = (bytes: number, seed: string): string =>
    isSqlite
      ? `randomblob(${bytes})`
      : `decode(substr(repeat(md5(${seed}::text) || md5('x' || ${seed}::text), ${Math.ceil(bytes / 32)}), 1, ${2 * bytes}), 'hex')`;
  const padded = (value: string, width: number): string =>
    isSqlite ? `printf('%0${width}d', ${value})` : `lpad((${value})::text, ${width}, '0')`;
  // Spread over all of the order, as hashes are, and of digits only.
  const hash = (i: string): string => padded(`((${i}) * 2654435761) % 4294967296`, 32);
  const key = (i: string): string =>
    `${padded(`${i} % 100`, 2)} || '/' || ${padded(i, 12)} || '.pack'`;
  const back = [2, 4, 6, 200, 2000].map(
    (step) => `case when i > ${step} then i - ${step} else i end`,
  );
  const references = back
    .map((j) => `'"' || ${hash(j)} || '-package-of-the-closure-' || (${j}) || '"'`)
    .join(` || ',' || `);
  const now = Date.now();
  const usedAt = `case when i % 2 = 0 then ${now - 100 * 86_400_000} else ${now} end`;
  const run = (text: string) => sql.raw(text).execute(db);
  await run(
    `insert into cache (id, name, secret_key, is_public, store_dir, priority, upstream_cache_key_names, created_at)
     values (1000, 'bulk', '${generateSecretKey('bulk')}', 1, '/nix/store', 41, '[]', ${now})`,
  );
  await run(
    `insert into pack (id, key, size, created_at)
     select i, ${key('i')}, ${CHUNKS * CHUNK_BYTES}, ${now} from ${numbers(paths)} as s`,
  );
  await run(
    `insert into nar (id, hash, size, file_size, segments, created_at)
     select i, ${blob(32, 'i')}, 200000, ${CHUNKS * CHUNK_BYTES}, '[[' || i || ',0,${CHUNKS * CHUNK_BYTES}]]', ${now}
     from ${numbers(paths)} as s`,
  );
  await run(`insert into nar_pack (nar_id, pack_id) select i, i from ${numbers(paths)} as s`);
  await run(
    `insert into listing (nar_id, body) select i, ${blob(200, 'i')} from ${numbers(paths)} as s`,
  );
  await run(
    `insert into object (cache_id, store_path_hash, store_path, nar_id, "references", sigs, created_at, last_used_at)
     select 1000, ${hash('i')}, '/nix/store/' || ${hash('i')} || '-package-of-the-closure-' || i, i,
       '[' || ${references} || ']', '[]', ${usedAt}, ${usedAt} from ${numbers(paths)} as s`,
  );
  const chunks = paths * CHUNKS;
  await run(
    `insert into chunk (hash, pack_id, "offset", length, size)
     select ${blob(32, "(i || 'c')")}, (i + ${CHUNKS - 1}) / ${CHUNKS}, (i % ${CHUNKS}) * ${CHUNK_BYTES}, ${CHUNK_BYTES}, 40000
     from ${numbers(chunks)} as s`,
  );
  if (!isSqlite) {
    for (const table of ['pack', 'nar', 'cache']) {
      await run(
        `select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}))`,
      );
    }
  }
  return { paths, chunks };
}
