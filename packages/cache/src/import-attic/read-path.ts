import { messageOf } from '@flywheel/base';
import { isStoreBaseName, parseSha256, parseStorePath } from '@flywheel/nix';
import { keptSignatures } from '../api/kept-signatures.ts';
import type { SnapshotObject } from '../db/snapshot-rows.ts';
import type { PathRow } from './attic-database.ts';
import { textsOf, timeOf } from './attic-values.ts';

/**
 * A path as Attic has it, under the rules of our own uploads, which Attic's are not: it checks
 * neither references nor that a path has the hash that it is filed under.
 */
export function readPath(
  row: PathRow,
  storeDir: string,
): { readonly path: SnapshotObject } | { readonly reason: string } {
  try {
    const parsed = parseStorePath(row.store_path);
    const references = textsOf(row.references);
    const sigs = textsOf(row.sigs);
    if (parsed.hash !== row.store_path_hash) return { reason: 'it is filed under another hash' };
    if (parsed.storeDir !== storeDir) return { reason: `its cache is for ${storeDir}` };
    if (references?.every(isStoreBaseName) !== true) return { reason: 'its references are none' };
    if (sigs === undefined) return { reason: 'its signatures are malformed' };
    if ([row.deriver, row.ca, row.system].some((line) => /[\r\n\0]/.test(line ?? ''))) {
      return { reason: 'a field of it has several lines' };
    }
    const createdAt = timeOf(row.created_at) ?? 0;
    const path = {
      storePathHash: parsed.hash,
      storePath: row.store_path,
      narHash: parseSha256(row.nar_hash),
      references: [...new Set(references)].toSorted(),
      deriver: row.deriver || null,
      system: row.system || null,
      sigs: keptSignatures(sigs),
      ca: row.ca || null,
      createdAt,
      lastUsedAt: Math.max(createdAt, timeOf(row.last_accessed_at) ?? 0),
      createdBy: row.created_by,
    };
    return { path };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}
