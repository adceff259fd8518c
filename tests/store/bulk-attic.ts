import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Objects of each NAR, and bytes of each. */
export const CHUNKS = 5;
const OBJECT = 'sixteen bytes it';

/** The name of an object as the database of `fillBulkAttic` says it. */
function objectName(i: number): string {
  const first = ((i * 2654435761) % 4294967296).toString(16).padStart(8, '0');
  return `${first}-0000-4000-8000-${i.toString(16).padStart(12, '0')}.chunk`;
}

/** The objects of all chunks, whose contents nobody looks at. */
export async function writeBulkObjects(root: string, chunks: number): Promise<void> {
  for (let i = 0; i < 256; i += 1) {
    const name = i.toString(16).padStart(2, '0');
    await mkdir(join(root, name.slice(0, 1), name), { recursive: true });
  }
  for (let at = 1; at <= chunks; at += 1000) {
    const batch = Array.from({ length: 1000 }, (_, i) => at + i).filter((i) => i <= chunks);
    await Promise.all(
      batch.map((i) => {
        const name = objectName(i);
        return writeFile(join(root, name.slice(0, 1), name.slice(0, 2), name), OBJECT);
      }),
    );
  }
}

/**
 * Statements that fill Attic's tables with the cache `bulk` of so many paths, each with a NAR of five
 * chunks. The database makes the rows itself.
 */
export function fillBulkAttic(dialect: 'sqlite' | 'postgres', paths: number): readonly string[] {
  const isSqlite = dialect === 'sqlite';
  const numbers = (count: number): string =>
    isSqlite
      ? `(with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count}) select i from n)`
      : `(select i from generate_series(1::bigint, ${count}) as i) as n`;
  const hex = (value: string, width: number): string =>
    isSqlite ? `printf('%0${width}x', ${value})` : `lpad(to_hex(${value}), ${width}, '0')`;
  const digits = (value: string): string =>
    isSqlite ? `printf('%032d', ${value})` : `lpad((${value})::text, 32, '0')`;
  const name = `${hex('(i * 2654435761) % 4294967296', 8)} || '-0000-4000-8000-' || ${hex('i', 12)} || '.chunk'`;
  const now = `'2026-01-02T03:04:05.123456789+00:00'`;
  const hash = digits('i');
  return [
    `insert into chunk (state, chunk_hash, chunk_size, file_size, compression, remote_file, remote_file_id, created_at)
     select 'V', 'sha256:' || ${hex('i', 64)}, 50000, ${OBJECT.length}, 'zstd',
       '{"Local":{"name":"' || ${name} || '"}}', 'local:' || ${name}, ${now}
     from ${numbers(paths * CHUNKS)}`,
    `insert into nar (state, nar_hash, nar_size, compression, num_chunks, created_at)
     select 'V', 'sha256:' || ${hex('i + 1000000000', 64)}, ${50_000 * CHUNKS}, 'zstd', ${CHUNKS}, ${now}
     from ${numbers(paths)}`,
    `insert into chunkref (nar_id, seq, chunk_id)
     select (i - 1) / ${CHUNKS} + 1, (i - 1) % ${CHUNKS}, i
     from ${numbers(paths * CHUNKS)}`,
    `insert into object (cache_id, nar_id, store_path_hash, store_path, "references", sigs, created_at)
     select 1, i, ${hash}, '/nix/store/' || ${hash} || '-package', '[]', '[]', ${now}
     from ${numbers(paths)}`,
  ];
}
