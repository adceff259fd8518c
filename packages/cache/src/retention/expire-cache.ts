import type { Cache, Metadata } from '../db/metadata.ts';
import type { UseTracker } from '../api/use-tracker.ts';
import type { Pace } from '../store/pace.ts';
import type { RunProgress } from '../runs/run-kind.ts';
import { ExpiryTally, type Expired } from './expiry-tally.ts';
import { planRetention, type RetentionPlan, type RetentionPolicy } from './plan.ts';
import { ReferenceGraph, type Node } from './reference-graph.ts';
import { settleMarks, type Marks } from './settle-marks.ts';

export interface ExpireParts {
  readonly metadata: Metadata;
  readonly pace: Pace;
  /**
   * How long after the first look a path is removed at the earliest: longer than another process
   * may take to write down that it has promised a path to somebody. Undefined where there is none.
   */
  readonly settleMs: number | undefined;
  /** The uses that this process has seen. */
  readonly uses: Pick<UseTracker, 'flush' | 'isPending'>;
  /** These are no more. */
  readonly onRemoved: (cacheId: number, hashes: readonly string[]) => void;
  readonly signal: AbortSignal;
  readonly report: (progress: RunProgress) => void;
}

/** Rows of one look. */
const SCAN_ROWS = 512;
/** Plans made anew because pins were set meanwhile; after that the next run goes on. */
const MAX_PLANS = 20;

/**
 * Removes what the policy does not keep, each path before those that it refers to: when one was
 * used or pushed again since the look, it stays, and so does all that it refers to.
 *
 * Where other processes serve the cache too, what is expired is marked first: who wants to push
 * something that refers to it is told that it is missing. What is still marked after all have
 * written down what they had promised is removed, unless something refers to it that was pushed
 * meanwhile: the process that took the push may have been killed before it wrote down its uses.
 */
export async function expireCache(
  parts: ExpireParts,
  cache: Cache,
  policy: RetentionPolicy,
): Promise<Expired> {
  const { metadata, settleMs } = parts;
  const tally = new ExpiryTally(metadata, cache);
  let seen = await look(parts, cache, policy);
  let markedBy: MarkedBy = async () => undefined;
  let marks: Marks | undefined;
  if (settleMs !== undefined) {
    marks = settleMarks({ ...parts, cache, settleMs }, seen);
    seen = { ...seen, doomed: await doom(parts, cache, seen, marks) };
    markedBy = marks.settled;
  }
  for (let plans = 1; ; plans += 1) {
    const { complete, stayed } = await removeExpired(parts, cache, seen, markedBy, tally);
    if (complete || plans === MAX_PLANS) return tally.result(seen.plan, seen.graph, stayed);
    await marks?.allSettled();
    seen = await look(parts, cache, policy);
    const { time } = seen;
    markedBy = async () => (settleMs === undefined ? undefined : time - settleMs);
  }
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
    await tally.learnNames(graph, nodes);
    await tally.add(graph, nodes, planned);
    await parts.pace.rest();
  }
  return tally.result(plan, graph);
}

interface Looked {
  readonly graph: ReferenceGraph;
  readonly plan: RetentionPlan;
  readonly pinsVersion: number;
  readonly time: number;
  /** Marked in the database. */
  readonly doomed: Uint8Array;
}

async function look(
  { metadata, pace, uses, report }: ExpireParts,
  cache: Cache,
  policy: RetentionPolicy,
): Promise<Looked> {
  await uses.flush();
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
  const plan = await planRetention(graph, policy, hashes, { now: time, rest: pace.rest });
  const doomed = new Uint8Array(graph.size);
  for (const hash of doomedHashes) doomed[graph.find(hash) as Node] = 1;
  await pace.rest();
  return { graph, plan, pinsVersion, time, doomed };
}

/**
 * Marks what is expired, and takes the mark away from what an earlier run has left marked. Answers
 * what is marked now.
 */
async function doom(
  { metadata, pace, report }: ExpireParts,
  cache: Cache,
  { graph, plan: { expired }, doomed }: Looked,
  marks: Marks,
): Promise<Uint8Array> {
  const usedBefore = latestUse(graph, expired);
  const isExpired = marksOf(graph, expired);
  for (let at = 0; at < expired.length; at += metadata.batchRows) {
    report({ step: `marking in ${cache.name}`, done: at, of: expired.length });
    const batch = expired.slice(at, at + metadata.batchRows).filter((node) => doomed[node] === 0);
    await metadata.doomObjects(cache.id, hashesOf(graph, batch), usedBefore);
    marks.add();
    await pace.rest();
  }
  const spared: Node[] = [];
  for (let node = 0; node < graph.size; node += 1) {
    if (doomed[node] === 1 && isExpired[node] === 0) spared.push(node);
  }
  await spare(metadata, pace, cache, graph, spared);
  return isExpired;
}

/**
 * The time until which paths of a batch must have been marked to go; undefined where none is. Adds
 * to what is kept.
 */
type MarkedBy = (batch: number, kept: Uint8Array) => Promise<number | undefined>;

interface Removal {
  /** False: a pin was set, and the plan has to be made anew. */
  readonly complete: boolean;
  readonly stayed: readonly Node[];
}

async function removeExpired(
  { metadata, pace, uses, onRemoved, report }: ExpireParts,
  cache: Cache,
  { graph, plan, pinsVersion, doomed }: Looked,
  markedBy: MarkedBy,
  tally: ExpiryTally,
): Promise<Removal> {
  const gone = new Uint8Array(graph.size);
  const stayed = () => plan.expired.filter((node) => gone[node] === 0);
  const spared = new Uint8Array(graph.size);
  const { expired } = plan;
  const isExpired = marksOf(graph, expired);
  const usedBefore = latestUse(graph, expired);
  for (let at = 0; at < expired.length; at += metadata.batchRows) {
    const doomedBefore = await markedBy(at / metadata.batchRows, spared);
    const batch = expired.slice(at, at + metadata.batchRows).filter((node) => spared[node] === 0);
    report({ step: `removing from ${cache.name}`, done: at, of: expired.length });
    if (batch.length === 0) continue;
    await tally.learnNames(graph, batch);
    await uses.flush();
    const hashes = hashesOf(graph, batch);
    const removed = await metadata.removeExpired({
      cacheId: cache.id,
      hashes,
      usedBefore,
      doomedBefore,
      pinsVersion,
      without(others) {
        const used = hashes.filter((hash) => uses.isPending(cache.id, hash));
        for (const hash of [...others, ...used]) {
          graph.visitClosure(graph.find(hash) as Node, spared, () => {});
        }
        return hashesOf(
          graph,
          batch.filter((node) => spared[node] === 0),
        );
      },
    });
    if (removed === undefined) return { complete: false, stayed: stayed() };
    onRemoved(cache.id, removed);
    const nodes = removed.map((hash) => graph.find(hash) as Node);
    for (const node of nodes) gone[node] = 1;
    await tally.add(graph, nodes);
    await pace.rest();
  }
  const left: Node[] = [];
  for (let node = 0; node < graph.size; node += 1) {
    const isMarked = doomed[node] === 1;
    if (isMarked && (isExpired[node] === 0 || spared[node] === 1)) left.push(node);
  }
  await spare(metadata, pace, cache, graph, left);
  return { complete: true, stayed: stayed() };
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

/** No path that was used later than this is among the expired ones. */
function latestUse(graph: ReferenceGraph, expired: readonly Node[]): number {
  let latest = 0;
  for (const node of expired) latest = Math.max(latest, graph.usedAt(node));
  return latest;
}

function marksOf(graph: ReferenceGraph, nodes: readonly Node[]): Uint8Array {
  const marks = new Uint8Array(graph.size);
  for (const node of nodes) marks[node] = 1;
  return marks;
}

function hashesOf(graph: ReferenceGraph, nodes: readonly Node[]): string[] {
  return nodes.map((node) => graph.hashOf(node));
}
