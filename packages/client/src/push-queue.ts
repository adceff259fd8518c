import { parseStorePath } from '@flywheel/nix';
import { dependenciesFirst } from './dependencies-first.ts';
import type { PathSource } from './path-source.ts';

/** What a path costs besides its bytes, in bytes: a request and a transaction. */
const PATH_COST_BYTES = 64 * 1024;

interface Node {
  readonly source: PathSource;
  /** Its own cost and that of the longest chain of paths that wait for it. */
  weight: number;
  /** References that are being pushed and are not there yet. */
  waitingFor: number;
  readonly dependents: Node[];
  failed: boolean;
}

/**
 * Hands out paths to push so that a path comes after the paths it refers to. Among those that may
 * start, the one that most work waits for comes first: otherwise the end of a push is one long
 * chain with all other jobs idle.
 */
export class PushQueue {
  readonly #nodes = new Map<string, Node>();
  /** Lightest first. */
  readonly #ready: Node[] = [];

  constructor(sources: Iterable<PathSource>) {
    for (const source of sources) {
      const weight = source.narSize + PATH_COST_BYTES;
      const node = { source, weight, waitingFor: 0, dependents: [], failed: false };
      this.#nodes.set(baseNameOf(source), node);
    }
    const order = dependenciesFirst(this.#nodes.values(), (node) => this.#referencesOf(node));
    const position = new Map(order.map((node, index) => [node, index]));
    for (const [index, node] of order.entries()) {
      for (const reference of this.#referencesOf(node)) {
        // Nix has no circles but a path's reference to itself; should there be one, it is cut.
        if ((position.get(reference) ?? index) >= index) continue;
        reference.dependents.push(node);
        node.waitingFor += 1;
      }
    }
    for (const node of order.reverse()) {
      node.weight += node.dependents.reduce((most, { weight }) => Math.max(most, weight), 0);
    }
    for (const node of order) if (node.waitingFor === 0) this.#makeReady(node);
  }

  /** A path that may be pushed now. Undefined: none at the moment, or none any more. */
  take(): PathSource | undefined {
    return this.#ready.pop()?.source;
  }

  /** The path is in the cache. */
  finish(source: PathSource): void {
    for (const node of this.#nodes.get(baseNameOf(source))?.dependents ?? []) {
      node.waitingFor -= 1;
      if (node.waitingFor === 0 && !node.failed) this.#makeReady(node);
    }
  }

  /**
   * The path will not be in the cache. Answers with all that refer to it, by themselves or through
   * others, and were not answered before: they will not be handed out.
   */
  fail(source: PathSource): readonly PathSource[] {
    const lost: PathSource[] = [];
    const stack = [...(this.#nodes.get(baseNameOf(source))?.dependents ?? [])];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node.failed) continue;
      node.failed = true;
      lost.push(node.source);
      for (const dependent of node.dependents) stack.push(dependent);
    }
    return lost;
  }

  #referencesOf(node: Node): Node[] {
    return node.source.references
      .map((baseName) => this.#nodes.get(baseName))
      .filter((reference) => reference !== undefined);
  }

  #makeReady(node: Node): void {
    let low = 0;
    let high = this.#ready.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ready[middle]?.weight ?? 0) <= node.weight) low = middle + 1;
      else high = middle;
    }
    this.#ready.splice(low, 0, node);
  }
}

function baseNameOf(source: PathSource): string {
  return parseStorePath(source.storePath).baseName;
}
