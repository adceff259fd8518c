import { parseSha256 } from '@flywheel/nix';
import { atticKey } from '../blobs/attic-place.ts';
import type { AtticObject } from '../db/attic-rows.ts';
import type { ChunkRow } from './attic-database.ts';
import { timeOf } from './attic-values.ts';
import { isZstd, objectOf, type Takeover } from './takeover.ts';

const BATCH = 1000;

/**
 * Looks at the object of each chunk, and makes the whole ones known as packs. With `all`, the others
 * too, to which nothing will refer: so that they go when the takeover is finished.
 */
export async function takeObjects(
  takeover: Takeover,
  { all, of }: { readonly all: boolean; readonly of: number },
): Promise<void> {
  const { attic, ours, tally, signal, report } = takeover;
  const step = 'looking at objects';
  let done = 0;
  for (let after = 0; ;) {
    signal.throwIfAborted();
    report({ step, done, of });
    const rows = await attic.chunks(after, BATCH);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.id;
    done += rows.length;
    const found = await Promise.all(rows.map((row) => look(takeover, row)));
    const objects = found.filter((object) => object !== undefined);
    const chunks = objects.filter(({ chunk }) => chunk !== undefined);
    tally.objects += chunks.length;
    for (const { size } of chunks) tally.bytes += size;
    if (ours !== undefined) {
      tally.newObjects += await ours.rows.addObjects(all ? objects : chunks);
    }
  }
}

/** Undefined for what does not lie in the place that is taken over. */
async function look(takeover: Takeover, row: ChunkRow): Promise<AtticObject | undefined> {
  const { ours, objects, faults, tally } = takeover;
  if (row.state !== 'V') tally.unfinishedChunks += 1;
  const at = objectOf(takeover, row.remote_file);
  if ('reason' in at) return undefined;
  const fault = row.state === 'V' ? await faultOf(row, at.name, objects) : undefined;
  if (fault !== undefined) faults.set(at.name, fault);
  const isWhole = row.state === 'V' && fault === undefined && isZstd(row.compression);
  return {
    key: atticKey(ours?.place ?? 0, at.name),
    size: row.file_size ?? 0,
    createdAt: timeOf(row.created_at) ?? 0,
    chunk: isWhole ? { hash: parseSha256(row.chunk_hash), size: row.chunk_size } : undefined,
  };
}

async function faultOf(
  { file_size: expected }: ChunkRow,
  name: string,
  objects: Takeover['objects'],
): Promise<string | undefined> {
  const size = await objects.sizeOf(name);
  if (size === undefined) return 'is missing';
  return size === expected ? undefined : `has ${size} of ${expected ?? 'unknown'} bytes`;
}
