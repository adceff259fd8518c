import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache, Metadata } from '../db/metadata.ts';
import type { Pace } from '../store/pace.ts';
import { ExpiryTally, type Expired } from './expiry-tally.ts';
import { planRetention, type RetentionPlan, type RetentionPolicy } from './plan.ts';
import { ReferenceGraph, type Node } from './reference-graph.ts';

export interface ExpireParts {
  readonly metadata: Metadata;
  readonly pace: Pace;
  /**
   * How long after the first look a path is removed at the earliest: longer than another process
   * may take to write down that it has promised a path to somebody. 0 where there is none.
   */
  readonly settleMs: number;
  /** Writes down the uses that this process has seen. */
  readonly flushUses: () => Promise<void>;
  /** These are no more. */
  readonly onRemoved: (cacheId: number, hashes: readonly string[]) => void;
  readonly signal: AbortSignal;
  readonly report: (progress: { readonly step: string; readonly of?: number; readonly done?: number }) => void;
}

/** Rows of one look. */
const SCAN_ROWS = 512;
/** Timers may fire a little early. */
const TIMER_MS = 100;
/** Plans made anew because pins were set meanwhile; after that the next run goes on. */
const MAX_PLANS = 20;

/**
 * Removes what the policy does not keep, in two looks. What is expired at the first is marked:
 * who wants to push something that refers to it is told that it is missing. What is still marked
 * and expired at the second look is removed, each path before those that it refers to: when one was
 * used or pushed again in the last moment, it stays, and so does all that it refers to.
 */
export async function expireCache(
  parts: ExpireParts,
  cache: Cache,
  policy: RetentionPolicy,
): Promise<Expired> {
  const { metadata, settleMs, signal } = parts;
  const first = await look(parts, cache, policy);
  await doom(parts, cache, first);
  if (first.plan.expired.length > 0 && settleMs > 0) {
    await sleep(settleMs + TIMER_MS, undefined, { signal });
  }
  const tally = new ExpiryTally(metadata, cache);
  let kept: Looked = first;
  for (let plans = 0; plans < MAX_PLANS && kept.plan.expired.length > 0; plans += 1) {
    kept = await look(parts, cache, policy);
    if (await removeExpired(parts, cache, kept, tally)) break;
  }
  return tally.result(kept.plan);
}

/** What `expireCache` would do now, without doing it. */
export async function previewExpiry(
  parts: ExpireParts,
  cache: Cache,
  policy: RetentionPolicy,
): Promise<Expired> {
  const { graph, plan } = await look(parts, cache, policy);
  const tally = new ExpiryTally(parts.metadata, cache);
  const batch = parts.metadata.batchRows;
  const planned = new Map<number, number>();
  for (const node of plan.expired) {
    const nar = graph.narIdOf(node);
    planned.set(nar, (planned.get(nar) ?? 0) + 1);
  }
  for (let at = 0; at < plan.expired.length; at += batch) {
    const nodes = plan.expired.slice(at, at + batch);
    await tally.nameExamples(graph, nodes);
    await tally.add(graph, nodes, planned);
    await parts.pace.rest();
  }
  return tally.result(plan);
}

interface Looked {
  readonly graph: ReferenceGraph;
  readonly plan: RetentionPlan;
  readonly pinsVersion: number;
  readonly time: number;
  /** Marked by an earlier look. */
  readonly doomed: Uint8Array;
}

async function look(
  { metadata, pace, flushUses, report }: ExpireParts,
  cache: Cache,
  policy: RetentionPolicy,
): Promise<Looked> {
  await flushUses();
  const time = await metadata.currentTime();
  const graph = new ReferenceGraph();
  const doomedHashes: string[] = [];
  for (let after = ''; ;) {
    const rows = await metadata.scanObjects(cache.id, after, SCAN_ROWS);
    for (const row of rows) {
      graph.add(row);
      if (row.doomed) doomedHashes.push(row.storePathHash);
    }
    report({ step: `looking at ${cache.name}`, done: graph.present });
    await pace.rest();
    const last = rows.at(-1);
    if (last === undefined || rows.length < SCAN_ROWS) break;
    after = last.storePathHash;
  }
  // After the paths: a pin that is set during the look is seen, or makes the removal refuse.
  const { hashes, pinsVersion } = await metadata.pinnedPaths(cache.id);
  const plan = planRetention(graph, policy, hashes, time);
  const doomed = new Uint8Array(graph.size);
  for (const hash of doomedHashes) doomed[graph.find(hash) as Node] = 1;
  await pace.rest();
  return { graph, plan, pinsVersion, time, doomed };
}

/** Marks what is expired, and takes the mark away from what an earlier run has left marked. */
async function doom(
  { metadata, pace, report }: ExpireParts,
  cache: Cache,
  { graph, plan, doomed }: Looked,
): Promise<void> {
  let usedBefore = 0;
  for (const node of plan.expired) usedBefore = Math.max(usedBefore, graph.usedAt(node));
  const isExpired = new Uint8Array(graph.size);
  for (const node of plan.expired) isExpired[node] = 1;
  const unmarked = plan.expired.filter((node) => doomed[node] === 0);
  for (let at = 0; at < unmarked.length; at += metadata.batchRows) {
    const batch = unmarked.slice(at, at + metadata.batchRows);
    await metadata.doomObjects(cache.id, hashesOf(graph, batch), usedBefore);
    report({ step: `marking in ${cache.name}`, done: at + batch.length, of: unmarked.length });
    await pace.rest();
  }
  const spared: Node[] = [];
  for (let node = 0; node < graph.size; node += 1) {
    if (doomed[node] === 1 && isExpired[node] === 0) spared.push(node);
  }
  await spare(metadata, pace, cache, graph, spared);
}

/** False: a pin was set, and the plan has to be made anew. */
async function removeExpired(
  { metadata, pace, settleMs, flushUses, onRemoved, report }: ExpireParts,
  cache: Cache,
  { graph, plan, pinsVersion, time, doomed }: Looked,
  tally: ExpiryTally,
): Promise<boolean> {
  const spared = new Uint8Array(graph.size);
  const { expired } = plan;
  const isExpired = new Uint8Array(graph.size);
  for (const node of expired) isExpired[node] = 1;
  for (let at = 0; at < expired.length; at += metadata.batchRows) {
    const batch = expired.slice(at, at + metadata.batchRows).filter((node) => spared[node] === 0);
    report({ step: `removing from ${cache.name}`, done: at, of: expired.length });
    if (batch.length === 0) continue;
    await flushUses();
    await tally.nameExamples(graph, batch);
    const removed = await metadata.removeDoomed({
      cacheId: cache.id,
      hashes: hashesOf(graph, batch),
      doomedBefore: time - settleMs,
      pinsVersion,
      without(keptHashes) {
        for (const hash of keptHashes) {
          graph.visitClosure(graph.find(hash) as Node, spared, () => {});
        }
        return hashesOf(
          graph,
          batch.filter((node) => spared[node] === 0),
        );
      },
    });
    if (removed === undefined) return false;
    onRemoved(cache.id, removed);
    await tally.add(
      graph,
      removed.map((hash) => graph.find(hash) as Node),
    );
    await pace.rest();
  }
  const left: Node[] = [];
  for (let node = 0; node < graph.size; node += 1) {
    const isMarked = doomed[node] === 1;
    if (isMarked && (isExpired[node] === 0 || spared[node] === 1)) left.push(node);
  }
  await spare(metadata, pace, cache, graph, left);
  return true;
}

async function spare(
  metadata: Metadata,
  pace: Pace,
  cache: Cache,
  graph: ReferenceGraph,
  nodes: readonly Node[],
): Promise<void> {
  for (let at = 0; at < nodes.length; at += metadata.batchRows) {
    await metadata.spareObjects(
      cache.id,
      hashesOf(graph, nodes.slice(at, at + metadata.batchRows)),
    );
    await pace.rest();
  }
}

function hashesOf(graph: ReferenceGraph, nodes: readonly Node[]): string[] {
  return nodes.map((node) => graph.hashOf(node));
}
