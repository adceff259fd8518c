import type { PartRow, PathRow } from './attic-database.ts';
import { isZstd, objectOf, type Takeover } from './takeover.ts';

/** A chunk of a NAR and the object that holds it. */
export interface NarPart {
  readonly name: string;
  readonly compression: string;
}

/** What can be done with a NAR of Attic: nothing, take its objects as they are, or store it anew. */
export type Judgement =
  | { readonly reason: string }
  | { readonly way: 'in-place' | 'copy'; readonly parts: readonly NarPart[] };

/** By what the database says and what `takeObjects` has found out about objects. */
export function judgeNar(
  takeover: Takeover,
  nar: Pick<PathRow, 'state' | 'num_chunks' | 'nar_size'>,
  rows: readonly PartRow[],
): Judgement {
  if (nar.state !== 'V') return { reason: 'its NAR was never uploaded completely' };
  const parts: NarPart[] = [];
  let size = 0;
  for (const [i, row] of rows.entries()) {
    if (row.state === null) return { reason: 'a chunk of its NAR was deleted' };
    if (row.state !== 'V') return { reason: 'a chunk of its NAR was never uploaded completely' };
    if (rows[i - 1]?.seq === row.seq) return { reason: `its NAR has two chunks ${row.seq}` };
    const object = objectOf(takeover, row.remote_file);
    if ('reason' in object) return object;
    const fault = takeover.faults.get(object.name);
    if (fault !== undefined) return { reason: `${object.name} ${fault}` };
    parts.push({ name: object.name, compression: row.compression ?? 'unknown' });
    size += row.chunk_size ?? 0;
  }
  if (parts.length !== nar.num_chunks) {
    return { reason: `its NAR has ${parts.length} of ${nar.num_chunks} chunks` };
  }
  if (size !== nar.nar_size) return { reason: `its NAR has ${size} of ${nar.nar_size} bytes` };
  return { way: parts.every((part) => isZstd(part.compression)) ? 'in-place' : 'copy', parts };
}
