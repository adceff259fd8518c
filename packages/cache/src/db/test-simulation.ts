import { createHash, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isFlywheelError } from '@flywheel/base';
import { decodeSegments, type Segment } from '@flywheel/chunking';
import { atticKey } from '../blobs/attic-place.ts';
import type { Blobs } from '../blobs/blobs.ts';
import { expireCache } from '../retention/expire-cache.ts';
import type { Pace } from '../store/pace.ts';
import { packKeyOf } from '../store/pack-key.ts';
import { reclaim } from '../store/reclaim.ts';
import { atticRows, type AtticRows } from './attic-rows.ts';
import type { DatabaseHandle } from './database.ts';
import { LEASE_MS } from './leases.ts';
import { NEW_PACK, type ChunkLocation, type Metadata, type NarUse, type Pack } from './metadata.ts';
import type { SparsePack } from './repack-rows.ts';
import { createSqlMetadata } from './sql-metadata.ts';
import { clockTime } from './time.ts';
import { TEST_SETTINGS } from './test-settings.ts';

// A store of few NARs, few chunks and few paths, so that everybody meets everybody: replicas that
// upload, delete, damage, expire, reclaim and repack at once, take over objects of Attic and gather
// them, with clocks that differ. The blobs are a map.

export interface SimulationOptions {
  /** One a replica, all of the same, migrated and empty database. */
  readonly handles: readonly DatabaseHandle[];
  readonly operations: number;
  /** Steps of one replica that are under way at once. */
  readonly parallel: number;
  readonly seed: number;
  /** Whether an error other than `conflict` is part of the game. */
  readonly tolerates?: (error: unknown) => boolean;
}

export interface SimulationResult {
  readonly uploads: number;
  readonly deduplicated: number;
  readonly conflicts: number;
  readonly tolerated: number;
  readonly removedPacks: number;
  readonly expired: number;
  readonly repacked: number;
  /** Objects of Attic. */
  readonly gathered: number;
  /** What the database says that is not so, after the last operation and after a last reclaim. */
  readonly broken: readonly string[];
}

const NARS = 12;
/** Besides those that are pushed: what is there already is not taken over. */
const NARS_OF_ATTIC = 4;
const CHUNKS = 30;
const PATHS = 25;
const CACHES = ['one', 'two', 'three'];
const FRAME = 10;
const HOUR_MS = 3600 * 1000;

const NO_REST: Pace = { rest: async () => {} };

/** Where each chunk's frame lies in a pack. */
type Blob = ReadonlyMap<number, string>;

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #replicas: readonly Metadata[];
  readonly #attic = new Map<Metadata, AtticRows>();
  readonly #blobs = new Map<string, Blob>();
  readonly #random: () => number;
  #now = Date.UTC(2027, 0, 1);
  #left: number;
  #result = {
    uploads: 0,
    deduplicated: 0,
    conflicts: 0,
    tolerated: 0,
    removedPacks: 0,
    expired: 0,
    repacked: 0,
    gathered: 0,
  };

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#left = options.operations;
    this.#random = randomNumbers(options.seed);
    this.#replicas = options.handles.map((handle, i) => {
      const skewMs = ((i % 3) - 1) * 90_000;
      const clock = { now: () => this.#now + skewMs };
      const time = clockTime(clock);
      const metadata = createSqlMetadata(handle, clock, time);
      this.#attic.set(metadata, atticRows(handle, time));
      return metadata;
    });
  }

  async run(): Promise<SimulationResult> {
    const [first] = this.#replicas;
    if (first === undefined) throw new Error('a simulation needs a replica');
    await Promise.all(
      this.#replicas.flatMap((replica) =>
        Array.from({ length: this.#options.parallel }, () => this.#work(replica)),
      ),
    );
    const broken = await this.#insist(() => this.#untruths());
    for (const { id } of await this.#insist(() => first.atticPlaces())) {
      await this.#insist(() => this.#letGo(first, id));
    }
    // What died without a word is given up, what waits is forgotten.
    for (let round = 0; round < 3; round += 1) {
      this.#now += 25 * HOUR_MS;
      await this.#insist(() => this.#reclaim(first));
    }
    const leftovers = await this.#insist(() => this.#leftovers());
    return { ...this.#result, broken: [...broken, ...leftovers] };
  }

  async #work(replica: Metadata): Promise<void> {
    while (this.#left > 0) {
      this.#left -= 1;
      this.#now += this.#below(2000);
      // Long enough that leases of uploads under way run out.
      if (this.#below(100) === 0) this.#now += LEASE_MS;
      try {
        await this.#step(replica, this.#below(100));
      } catch (error) {
        if (isFlywheelError(error, 'conflict')) this.#result.conflicts += 1;
        else if (this.#options.tolerates?.(error) === true) this.#result.tolerated += 1;
        else throw error;
      }
    }
  }

  async #step(replica: Metadata, dice: number): Promise<void> {
    if (dice < 53) await this.#upload(replica);
    else if (dice < 59) await this.#recreateCache(replica);
    else if (dice < 70) await this.#reclaim(replica);
    else if (dice < 74) await this.#damage(replica);
    else if (dice < 80) await this.#touch(replica);
    else if (dice < 88) await this.#expire(replica);
    else if (dice < 90) await this.#repack(replica);
    else if (dice < 94) await this.#takeOver(replica);
    else await this.#gather(replica);
  }

  async #upload(replica: Metadata): Promise<void> {
    const nar = this.#below(NARS);
    const use = await this.#anyUse(replica);
    if (use === undefined) return;
    const hash = digest(`nar ${nar}`);
    const upload = await replica.beginUpload(this.#below(2) === 0 ? hash : undefined);
    try {
      if (upload.nar !== undefined) {
        await replica.useNar(upload.nar.id, use, upload.lease);
        this.#result.deduplicated += 1;
        return;
      }
      await this.#commit(replica, upload.lease, nar, use);
    } catch (error) {
      // One in five dies without a word.
      if (this.#below(5) > 0) await replica.abandonLease(upload.lease).catch(() => {});
      throw error;
    }
  }

  async #commit(replica: Metadata, lease: string, nar: number, use: NarUse): Promise<void> {
    const names = chunksOf(nar);
    const known = new Map(
      (await replica.findChunks(names.map(digest))).map((at) => [at.hash.toString('hex'), at]),
    );
    const blob = new Map<number, string>();
    const chunks: ChunkLocation[] = [];
    const segments: Segment[] = names.map((name) => {
      const hash = digest(name);
      const at = known.get(hash.toString('hex'));
      if (at !== undefined) return { pack: at.pack, offset: at.offset, length: at.length };
      const offset = blob.size * FRAME;
      blob.set(offset, name);
      chunks.push({ hash, pack: NEW_PACK, offset, length: FRAME, size: 100 });
      return { pack: NEW_PACK, offset, length: FRAME };
    });
    const key = packKeyOf(lease);
    this.#blobs.set(key, blob);
    await this.#standStill();
    await replica.renewLease(lease);
    // Killed between the blob and the commit.
    if (this.#below(20) === 0) return;
    try {
      const { adopted } = await replica.commitNar(
        {
          lease,
          hash: digest(`nar ${nar}`),
          size: 100 * names.length,
          pack: { key, size: blob.size * FRAME },
          chunks,
          segments,
          fileSize: names.length * FRAME,
          listing: undefined,
        },
        use,
      );
      // Or killed before it could.
      if (!adopted && this.#below(5) > 0) this.#blobs.delete(key);
      this.#result.uploads += 1;
    } catch (error) {
      if (isFlywheelError(error)) this.#blobs.delete(key);
      throw error;
    }
  }

  async #anyUse(replica: Metadata): Promise<NarUse | undefined> {
    const cache = await replica.findCache(this.#anyCache());
    if (cache === undefined) return undefined;
    const hash = this.#anyPath();
    if (this.#below(10) === 0) return { staged: { cacheId: cache.id, fileName: `${hash}.nar` } };
    return {
      object: {
        cacheId: cache.id,
        storePathHash: hash,
        storePath: `/nix/store/${hash}-x`,
        references: this.#below(4) === 0 ? [`${this.#anyPath()}-x`] : [],
        deriver: undefined,
        system: undefined,
        sigs: [],
        ca: undefined,
        createdBy: undefined,
      },
    };
  }

  async #recreateCache(replica: Metadata): Promise<void> {
    const name = this.#anyCache();
    const cache = await replica.findCache(name);
    if (cache !== undefined) await replica.deleteCache(cache.id);
    await replica.createCache(name, TEST_SETTINGS).catch((error: unknown) => {
      if (!isFlywheelError(error, 'already-exists')) throw error;
    });
  }

  async #touch(replica: Metadata): Promise<void> {
    const cache = await replica.findCache(this.#anyCache());
    if (cache === undefined) return;
    const hashes = Array.from({ length: 8 }, () => this.#anyPath());
    await replica.touch(cache.id, hashes, this.#now);
    await replica.missingPaths(cache.id, hashes);
  }

  /** A disk loses a pack, and the first who reads it says so. */
  async #damage(replica: Metadata): Promise<void> {
    const cache = await replica.findCache(this.#anyCache());
    const object = cache && (await replica.findObject(cache.id, this.#anyPath()));
    const segment = object?.nar.segments[0];
    const [pack] = segment === undefined ? [] : await replica.findPacks([segment.pack]);
    if (pack === undefined) return;
    this.#blobs.delete(pack.key);
    await this.#insist(() => replica.markPackDamaged(pack.id));
  }

  async #reclaim(replica: Metadata): Promise<void> {
    const remove = async (key: string) => {
      this.#blobs.delete(key);
    };
    const blobs = { remove, discard: remove, removeLeftovers: async () => 0 } as unknown as Blobs;
    const result = await reclaim({ metadata: replica, blobs }, NO_REST);
    this.#result.removedPacks += result.packs;
  }

  async #expire(replica: Metadata): Promise<void> {
    const cache = await replica.findCache(this.#anyCache());
    if (cache === undefined) return;
    const { paths } = await expireCache(
      {
        metadata: replica,
        pace: NO_REST,
        settleMs: this.#below(2) === 0 ? 0 : undefined,
        uses: { flush: async () => {}, isPending: () => false },
        onRemoved: () => {},
        signal: new AbortController().signal,
        report: () => {},
      },
      cache,
      { periodSeconds: 60, quotaBytes: undefined },
    );
    this.#result.expired += paths;
  }

  async #repack(replica: Metadata): Promise<void> {
    for (const pack of await replica.sparsePacks(0, 4)) {
      if (pack.live.length > 0 && !(await this.#repackOne(replica, pack))) continue;
      await replica.forgetSparsePacks([pack.id]);
    }
  }

  async #repackOne(replica: Metadata, source: SparsePack): Promise<boolean> {
    const old = this.#blobs.get(source.key);
    if (old === undefined) return true;
    const { lease } = await replica.beginUpload(undefined);
    const blob = new Map<number, string>();
    const frames: { offset: number; length: number; newOffset: number }[] = [];
    const chunks: ChunkLocation[] = [];
    for (const [offset, name] of old) {
      const isLive = source.live.some(
        (range) => range.offset <= offset && offset < range.offset + range.length,
      );
      if (!isLive) continue;
      const newOffset = blob.size * FRAME;
      blob.set(newOffset, name);
      frames.push({ offset, length: FRAME, newOffset });
      chunks.push({
        hash: digest(name),
        pack: NEW_PACK,
        offset: newOffset,
        length: FRAME,
        size: 100,
      });
    }
    const isDone = await this.#replace(replica, lease, blob, chunks, (pack) =>
      replica.commitRepack({ lease, source: source.id, pack, frames }),
    );
    if (isDone) this.#result.repacked += 1;
    return isDone;
  }

  /** Writes a pack for what others hold. False when it did not come to that. */
  async #replace(
    replica: Metadata,
    lease: string,
    blob: Map<number, string>,
    chunks: readonly ChunkLocation[],
    commit: (pack: { key: string; size: number }) => Promise<number | undefined>,
  ): Promise<boolean> {
    const key = packKeyOf(lease);
    this.#blobs.set(key, blob);
    await this.#standStill();
    await replica.renewLease(lease);
    // Killed between the blob and the commit.
    if (this.#below(10) === 0) return false;
    const id = await commit({ key, size: blob.size * FRAME });
    if (id === undefined) {
      this.#blobs.delete(key);
      return false;
    }
    // Or killed before its chunks are known.
    if (this.#below(10) > 0) await replica.moveChunks(id, chunks);
    return true;
  }

  /** A NAR as Attic has it, an object for each chunk, and a path that has it. */
  async #takeOver(replica: Metadata): Promise<void> {
    const rows = this.#attic.get(replica) as AtticRows;
    const cache = await replica.findCache(this.#anyCache());
    if (cache === undefined) return;
    const { id: place } = await rows.addPlace({ kind: 'folder', path: `/${randomUUID()}` });
    const nar = this.#below(2) === 0 ? this.#below(NARS) : NARS + this.#below(NARS_OF_ATTIC);
    const names = chunksOf(nar);
    const keys = new Map(names.map((name) => [name, atticKey(place, `${randomUUID()}.chunk`)]));
    for (const [name, key] of keys) this.#blobs.set(key, new Map([[0, name]]));
    await rows.addObjects(
      [...keys].map(([name, key]) => ({
        key,
        size: FRAME,
        createdAt: this.#now,
        chunk: { hash: digest(name), size: 100 },
      })),
    );
    await this.#standStill();
    const packs = await rows.findPacks([...keys.values()]);
    const segments = names.map((name) => {
      const { id } = packs.get(keys.get(name) ?? '') as Pack;
      return { pack: id, offset: 0, length: FRAME };
    });
    const hash = digest(`nar ${nar}`);
    const path = this.#anyPath();
    await rows.addPaths(
      [{ hash, size: 100 * names.length, fileSize: FRAME * names.length, segments }],
      [
        {
          cacheId: cache.id,
          storePathHash: path,
          storePath: `/nix/store/${path}-x`,
          narHash: hash,
          references: [],
          deriver: null,
          system: null,
          sigs: [],
          ca: null,
          createdAt: this.#now,
          lastUsedAt: this.#now,
          createdBy: null,
        },
      ],
    );
    await this.#letGo(replica, place);
  }

  /** What was taken over is ours to remove. */
  async #letGo(replica: Metadata, place: number): Promise<void> {
    const rows = this.#attic.get(replica) as AtticRows;
    await rows.finish(place);
    for (let after: number | undefined = 0; after !== undefined;) {
      after = await rows.releaseObjects(place, after, 1000);
    }
  }

  async #gather(replica: Metadata): Promise<void> {
    const due = await replica.packsToGather(0, 16, FRAME);
    const found = due.length === 0 ? [] : await replica.inNarOrder(due);
    if (found.length === 0) return;
    const unreadable = found.filter((pack) => !this.#blobs.has(pack.key));
    for (const { id } of unreadable) await this.#insist(() => replica.markPackDamaged(id));
    if (unreadable.length > 0) return;
    const { lease } = await replica.beginUpload(undefined);
    const blob = new Map<number, string>();
    const sources = found.map(({ id }, i) => ({ id, length: FRAME, newOffset: i * FRAME }));
    const chunks = found.map((pack, i) => {
      const name = this.#blobs.get(pack.key)?.get(0) ?? '';
      blob.set(i * FRAME, name);
      return { hash: digest(name), pack: NEW_PACK, offset: i * FRAME, length: FRAME, size: 100 };
    });
    const isDone = await this.#replace(replica, lease, blob, chunks, (pack) =>
      replica.commitGathering({ lease, pack, sources }),
    );
    if (isDone) this.#result.gathered += found.length;
  }

  /** Everything present must be readable: the right chunks in packs that are there. */
  async #untruths(): Promise<readonly string[]> {
    const { packs, nars, narPacks, chunks } = await this.#rows();
    const found: string[] = [];
    for (const nar of nars) {
      if (nar.damaged === 1) continue;
      // Repacking merges neighbours: frame by frame, as it is read.
      const frames = decodeSegments(nar.segments).flatMap(({ pack, offset, length }) =>
        Array.from({ length: length / FRAME }, (_, i) => ({ pack, offset: offset + i * FRAME })),
      );
      const number = NAR_NUMBERS.get(Buffer.from(nar.hash).toString('hex')) ?? -1;
      chunksOf(number).forEach((name, i) => {
        const { pack = 0, offset = 0 } = frames[i] ?? {};
        const blob = this.#blobs.get(packs.get(pack)?.key ?? '');
        if (blob?.get(offset) !== name) found.push(`NAR ${number} lacks ${name} in pack ${pack}`);
        const listed = narPacks.some((row) => row.nar_id === nar.id && row.pack_id === pack);
        if (!listed) found.push(`NAR ${number} does not hold pack ${pack}`);
      });
    }
    for (const chunk of chunks) {
      const pack = packs.get(chunk.pack_id);
      const name = pack && this.#blobs.get(pack.key)?.get(chunk.offset);
      const there = name !== undefined && digest(name).equals(chunk.hash);
      // A condemned pack is not offered any more.
      if (!there && pack?.condemned_at === null) found.push(`a chunk is not in pack ${pack.id}`);
    }
    return found;
  }

  /** After everything was reclaimed: nothing is there that no path needs. */
  async #leftovers(): Promise<readonly string[]> {
    const untruths = await this.#untruths();
    const { db } = this.#handle();
    const { packs, nars, narPacks } = await this.#rows();
    const objects = await db.selectFrom('object').select('nar_id').execute();
    const used = new Set(objects.map((row) => row.nar_id));
    const held = new Set(narPacks.map((row) => row.pack_id));
    const keys = new Set([...packs.values()].map((pack) => pack.key));
    const leases = await db.selectFrom('lease').select('id').execute();
    return [
      ...untruths,
      ...nars.filter((nar) => !used.has(nar.id)).map((nar) => `NAR ${nar.id} is of no use`),
      ...[...packs.keys()].filter((id) => !held.has(id)).map((id) => `pack ${id} is of no use`),
      ...[...this.#blobs.keys()].filter((key) => !keys.has(key)).map((key) => `${key} is left`),
      ...leases.map((lease) => `lease ${lease.id} is left`),
    ];
  }

  async #rows() {
    const { db } = this.#handle();
    const packs = await db.selectFrom('pack').selectAll().execute();
    return {
      packs: new Map(packs.map((pack) => [pack.id, pack])),
      nars: await db.selectFrom('nar').selectAll().execute(),
      narPacks: await db.selectFrom('nar_pack').selectAll().execute(),
      chunks: await db.selectFrom('chunk').selectAll().execute(),
    };
  }

  async #insist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (this.#options.tolerates?.(error) !== true) throw error;
      }
    }
  }

  #handle(): DatabaseHandle {
    return this.#options.handles[0] as DatabaseHandle;
  }

  /** Often not at all, sometimes for many steps of the others. */
  async #standStill(): Promise<void> {
    const turns = Math.max(0, this.#below(80) - 40);
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
  }

  #anyPath(): string {
    return `h${this.#below(PATHS)}`.padEnd(32, '-');
  }

  #anyCache(): string {
    return CACHES[this.#below(CACHES.length)] ?? '';
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

/** Chunks of its own, and chunks that other NARs have too, in another order for each. */
function chunksOf(nar: number): readonly string[] {
  const shared = Array.from({ length: 8 }, (_, i) => `chunk ${(nar * 7 + i * (nar + 3)) % CHUNKS}`);
  return [`own ${nar}`, ...shared];
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const NAR_NUMBERS: ReadonlyMap<string, number> = new Map(
  Array.from({ length: NARS + NARS_OF_ATTIC }, (_, i) => [digest(`nar ${i}`).toString('hex'), i]),
);

/** Mulberry32: the same numbers for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
