/** A path's number in a ReferenceGraph. */
export type Node = number;

export interface PathUse {
  readonly storePathHash: string;
  /** Base names: the hash is their beginning. */
  readonly references: readonly string[];
  readonly narId: number;
  readonly narSize: number;
  readonly fileSize: number;
  readonly lastUsedAt: number;
}

const HASH_BYTES = 32;
const FIRST_CAPACITY = 1024;

/**
 * The paths of one cache with their references, in flat arrays: about 100 bytes a path and 4 a
 * reference, where objects and strings would take ten times that. Paths are added in any order; one
 * that is only referred to has a number too, and is `isPresent` once it is added.
 */
export class ReferenceGraph {
  #count = 0;
  #present = 0;
  /** The hash of each node, padded with zeros. */
  #keys = Buffer.alloc(FIRST_CAPACITY * HASH_BYTES);
  /** What `mixed` made of it. */
  #mixed = new Uint32Array(FIRST_CAPACITY);
  /** Open addressing: node + 1, or 0. Twice as many slots as nodes at least. */
  #slots = new Uint32Array(FIRST_CAPACITY * 2);
  #narIds = new Float64Array(FIRST_CAPACITY);
  #narSizes = new Float64Array(FIRST_CAPACITY);
  #fileSizes = new Float64Array(FIRST_CAPACITY);
  /** -1: only referred to. */
  #usedAt = new Float64Array(FIRST_CAPACITY).fill(-1);
  #firstEdge = new Uint32Array(FIRST_CAPACITY);
  #edgeCount = new Uint32Array(FIRST_CAPACITY);
  #edges = new Uint32Array(FIRST_CAPACITY * 4);
  #edgesUsed = 0;

  /** All numbers are below this. */
  get size(): number {
    return this.#count;
  }

  /** Paths that were added. */
  get present(): number {
    return this.#present;
  }

  add(path: PathUse): void {
    const node = this.#intern(path.storePathHash);
    if (this.isPresent(node)) return;
    this.#present += 1;
    this.#usedAt[node] = path.lastUsedAt;
    this.#narIds[node] = path.narId;
    this.#narSizes[node] = path.narSize;
    this.#fileSizes[node] = path.fileSize;
    const { length } = path.references;
    if (this.#edgesUsed + length > this.#edges.length) {
      this.#edges = grown(Uint32Array, this.#edges, 2 * (this.#edgesUsed + length));
    }
    this.#firstEdge[node] = this.#edgesUsed;
    for (const reference of path.references) {
      this.#edges[this.#edgesUsed] = this.#intern(reference.slice(0, HASH_BYTES));
      this.#edgesUsed += 1;
    }
    this.#edgeCount[node] = length;
  }

  isPresent(node: Node): boolean {
    return (this.#usedAt[node] as number) >= 0;
  }

  find(storePathHash: string): Node | undefined {
    const found = this.#slots[this.#slotOf(storePathHash)] as number;
    return found === 0 ? undefined : found - 1;
  }

  /** What a base name refers to. */
  findReference(baseName: string): Node | undefined {
    return this.find(baseName.slice(0, HASH_BYTES));
  }

  hashOf(node: Node): string {
    const start = node * HASH_BYTES;
    let end = start + HASH_BYTES;
    while (end > start && this.#keys[end - 1] === 0) end -= 1;
    return this.#keys.toString('latin1', start, end);
  }

  usedAt(node: Node): number {
    return this.#usedAt[node] as number;
  }

  narIdOf(node: Node): number {
    return this.#narIds[node] as number;
  }

  narSizeOf(node: Node): number {
    return this.#narSizes[node] as number;
  }

  fileSizeOf(node: Node): number {
    return this.#fileSizes[node] as number;
  }

  /**
   * Calls `visit` for every present path that can be reached from `root`, itself included, and that
   * is not marked in `visited` yet; marks them.
   */
  visitClosure(root: Node, visited: Uint8Array, visit: (node: Node) => void): void {
    if (visited[root] === 1) return;
    visited[root] = 1;
    const waiting = [root];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (this.isPresent(node)) visit(node);
      const first = this.#firstEdge[node] as number;
      const end = first + (this.#edgeCount[node] as number);
      for (let edge = first; edge < end; edge += 1) {
        const next = this.#edges[edge] as number;
        if (visited[next] === 1) continue;
        visited[next] = 1;
        waiting.push(next);
      }
    }
  }

  /**
   * These paths so that each comes before those it refers to. Where they refer to each other in a
   * circle, one of them has to be first.
   */
  referrersFirst(nodes: readonly Node[]): Node[] {
    // 0: not of these; 1: not seen; 2: seen.
    const state = new Uint8Array(this.#count);
    for (const node of nodes) state[node] = 1;
    const order: Node[] = [];
    const path: Node[] = [];
    const nextEdge = new Uint32Array(this.#count);
    for (const root of nodes) {
      if (state[root] !== 1) continue;
      state[root] = 2;
      path.push(root);
      for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
        const at = nextEdge[node] as number;
        if (at === (this.#edgeCount[node] as number)) {
          path.pop();
          order.push(node);
          continue;
        }
        nextEdge[node] = at + 1;
        const next = this.#edges[(this.#firstEdge[node] as number) + at] as number;
        if (state[next] !== 1) continue;
        state[next] = 2;
        path.push(next);
      }
    }
    return order.reverse();
  }

  #intern(hash: string): Node {
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    const value = mixed(hash);
    const slot = this.#slotOf(hash, value);
    const found = this.#slots[slot] as number;
    if (found !== 0) return found - 1;
    const node = this.#count;
    this.#mixed[node] = value;
    this.#count += 1;
    this.#slots[slot] = node + 1;
    this.#keys.write(hash, node * HASH_BYTES, HASH_BYTES, 'latin1');
    return node;
  }

  /** The slot of this hash, or the free one where it belongs. */
  #slotOf(hash: string, value = mixed(hash)): number {
    const mask = this.#slots.length - 1;
    for (let slot = value & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot] as number;
      if (found === 0) return slot;
      if (this.#mixed[found - 1] === value && this.#isKey(found - 1, hash)) return slot;
    }
  }

  #isKey(node: Node, hash: string): boolean {
    const start = node * HASH_BYTES;
    for (let i = 0; i < hash.length; i += 1) {
      if (this.#keys[start + i] !== hash.charCodeAt(i)) return false;
    }
    return hash.length === HASH_BYTES || this.#keys[start + hash.length] === 0;
  }

  #grow(): void {
    const capacity = this.#slots.length;
    const keys = Buffer.alloc(capacity * HASH_BYTES);
    this.#keys.copy(keys);
    this.#keys = keys;
    this.#narIds = grown(Float64Array, this.#narIds, capacity);
    this.#narSizes = grown(Float64Array, this.#narSizes, capacity);
    this.#fileSizes = grown(Float64Array, this.#fileSizes, capacity);
    this.#usedAt = grown(Float64Array, this.#usedAt, capacity, -1);
    this.#firstEdge = grown(Uint32Array, this.#firstEdge, capacity);
    this.#edgeCount = grown(Uint32Array, this.#edgeCount, capacity);
    this.#mixed = grown(Uint32Array, this.#mixed, capacity);
    this.#slots = new Uint32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let node = 0; node < this.#count; node += 1) {
      let slot = (this.#mixed[node] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = node + 1;
    }
  }
}

type Numbers = Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

function grown<T extends Numbers>(
  type: new (length: number) => T,
  old: T,
  length: number,
  filler = 0,
): T {
  const numbers = new type(length);
  numbers.set(old);
  if (filler !== 0) numbers.fill(filler, old.length);
  return numbers;
}

/** FNV-1a. Hashes are evenly spread, names in tests are not. */
function mixed(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return (value ^ (value >>> 15)) >>> 0;
}
