import type { Rest } from '../db/database.ts';
import type { Node, ReferenceGraph } from './reference-graph.ts';

/** What a cache keeps. */
export interface RetentionPolicy {
  /** What was not used for so long goes; 0 or undefined keeps it for ever. */
  readonly periodSeconds: number | undefined;
  /** Bytes of compressed NARs; undefined is any number. */
  readonly quotaBytes: number | undefined;
}

export interface RetentionPlan {
  /** Each before those it refers to. */
  readonly expired: readonly Node[];
  readonly keptPaths: number;
  /** Bytes of the compressed NARs of the paths that stay. */
  readonly keptBytes: number;
  /** Whether what is pinned or was used lately exceeds the quota by itself. */
  readonly overQuota: boolean;
}

/**
 * A quota spares what was used or pushed so lately: a push of a closure that takes this long must
 * not lose its beginning before its end is there.
 */
export const QUOTA_GRACE_MS = 3600 * 1000;

/**
 * Decides which paths go. A path stays while anything that stays refers to it, so whole closures
 * stay: those of pins; those of paths used within the period; and of these, the most recently used
 * first, as many as the quota has room for.
 */
export async function planRetention(
  graph: ReferenceGraph,
  { periodSeconds, quotaBytes }: RetentionPolicy,
  pins: readonly string[],
  { now, rest }: { readonly now: number; readonly rest: Rest },
): Promise<RetentionPlan> {
  const kept = new Uint8Array(graph.size);
  let keptPaths = 0;
  let keptBytes = 0;
  /** With all that it refers to, unless that makes more than `room`. */
  const keep = (root: Node, room = Infinity): boolean => {
    const members: Node[] = [];
    let bytes = 0;
    graph.visitClosure(root, kept, (node) => {
      members.push(node);
      bytes += graph.fileSizeOf(node);
    });
    if (keptBytes + bytes > room) {
      for (const node of members) kept[node] = 0;
      return false;
    }
    keptPaths += members.length;
    keptBytes += bytes;
    return true;
  };
  for (const hash of pins) {
    const node = graph.find(hash);
    if (node !== undefined) keep(node);
  }

  const oldest =
    periodSeconds === undefined || periodSeconds === 0 ? 0 : now - periodSeconds * 1000;
  let overQuota = false;
  if (quotaBytes === undefined) {
    for (let node = 0; node < graph.size; node += 1) {
      if (graph.usedAt(node) >= oldest) keep(node);
      if (node % STEP === 0) await rest();
    }
  } else {
    for (const [i, node] of latestFirst(graph, oldest).entries()) {
      if (i % STEP === 0) await rest();
      const isSpared = graph.usedAt(node) >= now - QUOTA_GRACE_MS;
      // The next ones were used before this: keeping them instead would turn the order around.
      if (!keep(node, isSpared ? Infinity : quotaBytes)) break;
    }
    overQuota = keptBytes > quotaBytes;
  }

  const expired: Node[] = [];
  for (let node = 0; node < graph.size; node += 1) {
    if (kept[node] === 0 && graph.isPresent(node)) expired.push(node);
  }
  await rest();
  return { expired: graph.referrersFirst(expired), keptPaths, keptBytes, overQuota };
}

/** Paths looked at in one go. */
const STEP = 8192;

/** Paths used since `oldest`, the latest first, to the second. */
function latestFirst(graph: ReferenceGraph, oldest: number): Node[] {
  // Time and number in one float, whose 53 bits hold 34 years and 16 million paths: sorting plain
  // numbers takes a tenth of sorting with a comparison.
  const keys = new Float64Array(graph.size);
  let count = 0;
  let first = Infinity;
  for (let node = 0; node < graph.size; node += 1) {
    const usedAt = graph.usedAt(node);
    if (graph.isPresent(node) && usedAt >= oldest) first = Math.min(first, usedAt);
  }
  for (let node = 0; node < graph.size; node += 1) {
    const usedAt = graph.usedAt(node);
    if (!graph.isPresent(node) || usedAt < oldest) continue;
    keys[count] = Math.floor((usedAt - first) / 1000) * PLACES + node;
    count += 1;
  }
  return Array.from(keys.subarray(0, count).sort().reverse(), (key) => key % PLACES);
}

const PLACES = 2 ** 24;
