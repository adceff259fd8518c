import type { Cache, Metadata } from '../db/metadata.ts';
import type { RetentionPlan } from './plan.ts';
import type { Node, ReferenceGraph } from './reference-graph.ts';

/** What went, or would go, from one cache. */
export interface Expired {
  readonly cache: string;
  readonly paths: number;
  /** Plain sizes of their NARs. */
  readonly logicalBytes: number;
  /** Compressed NARs that no path of any cache needs any more; what they share with others stays. */
  readonly storedBytes: number;
  readonly keptPaths: number;
  readonly keptBytes: number;
  readonly overQuota: boolean;
  /** Some of them, each before those it refers to. */
  readonly examples: readonly string[];
}

const EXAMPLES = 20;

/** Sums up what goes. */
export class ExpiryTally {
  readonly #metadata: Metadata;
  readonly #cache: Cache;
  readonly #examples: string[] = [];
  #names: ReadonlyMap<string, string> = new Map();
  #paths = 0;
  #logicalBytes = 0;
  #storedBytes = 0;

  constructor(metadata: Metadata, cache: Cache) {
    this.#metadata = metadata;
    this.#cache = cache;
  }

  /** To be called before they go, while their names are known. */
  async learnNames(graph: ReferenceGraph, nodes: readonly Node[]): Promise<void> {
    const wanted = nodes.slice(0, EXAMPLES - this.#examples.length);
    if (wanted.length === 0) return;
    const hashes = wanted.map((node) => graph.hashOf(node));
    this.#names = await this.#metadata.storePaths(this.#cache.id, hashes);
  }

  /** To be called after they went; or before, with how many paths of each NAR are to go. */
  async add(
    graph: ReferenceGraph,
    nodes: readonly Node[],
    going: ReadonlyMap<number, number> = new Map(),
  ): Promise<void> {
    this.#paths += nodes.length;
    const unused = new Map<number, number>();
    for (const node of nodes) {
      const name = this.#names.get(graph.hashOf(node));
      if (name !== undefined) this.#examples.push(name);
      this.#logicalBytes += graph.narSizeOf(node);
      unused.set(graph.narIdOf(node), graph.fileSizeOf(node));
    }
    for (const [nar, uses] of await this.#metadata.countUses([...unused.keys()])) {
      if (uses > (going.get(nar) ?? 0)) unused.delete(nar);
    }
    for (const bytes of unused.values()) this.#storedBytes += bytes;
    this.#names = new Map();
  }

  /** `stayed` were to go, and were used or pushed in the last moment. */
  result(plan: RetentionPlan, graph: ReferenceGraph, stayed: readonly Node[] = []): Expired {
    const stayedBytes = stayed.reduce((sum, node) => sum + graph.fileSizeOf(node), 0);
    return {
      cache: this.#cache.name,
      paths: this.#paths,
      logicalBytes: this.#logicalBytes,
      storedBytes: this.#storedBytes,
      keptPaths: plan.keptPaths + stayed.length,
      keptBytes: plan.keptBytes + stayedBytes,
      overQuota: plan.overQuota,
      examples: this.#examples,
    };
  }
}
