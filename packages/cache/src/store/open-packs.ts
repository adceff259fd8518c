import { setImmediate } from 'node:timers/promises';
import { FlywheelError, isFlywheelError, lruCache, type Clock, type Logger } from '@flywheel/base';
import type { BlobReader, Blobs } from '../blobs/blobs.ts';
import type { Metadata, Pack } from '../db/metadata.ts';

export interface OpenPacksParts {
  readonly metadata: Metadata;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Paths have become missing. */
  readonly onDamage?: (() => void) | undefined;
}

interface OpenPack {
  readonly pack: Pack;
  readonly reader: BlobReader;
}

interface Entry {
  readonly open: Promise<OpenPack>;
  users: number;
  usedAt: number;
}

/**
 * Two versions of a closure, so that the next one who pulls it finds all of it open. Node raises the limit
 * of its files to what the system allows, which is 4096 at least.
 */
const CAPACITY = 1024;

/** Of those that a NAR in very many of them passes through: nobody else comes for one soon. */
const PASSED_THROUGH = 128;

/** How long a pack that was there is believed to be there still, by those who only refer to it. */
const SEEN_MS = 60_000;
/** More than a NAR of some GiB lies in that was taken over from Attic, at 50 bytes each. */
const SEEN = 100_000;

/** Beyond this a NAR's packs are looked at, and opened when they are read. */
const MANY = 64;

/** An object store answers each after milliseconds, but many at once. */
const LOOKS_AT_ONCE = 32;

/** Files are looked at without waiting: others get their turn after so many. */
const LOOKS_A_TURN = 64;

const NO_PACKS: ReadonlyMap<number, Pack> = new Map();

/** An open file of a deleted pack keeps its disk space: so long at most. */
const IDLE_MS = 10_000;

/**
 * Packs open for reading, kept open for a while: a closure's NARs lie in few packs, and opening one
 * costs more than reading a small NAR.
 *
 * A pack that is missing, or has another size than recorded, marks all its NARs damaged, so that
 * they are reported absent and the next push heals them.
 */
export class OpenPacks {
  readonly #metadata: Metadata;
  readonly #blobs: Blobs;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onDamage: () => void;
  readonly #entries = new Map<number, Entry>();
  readonly #passedThrough = new Set<number>();
  /** When packs were last seen, by id: without an open file each, so it can be more of them. */
  readonly #seen = lruCache<number, number>(SEEN);
  readonly #sweeper: NodeJS.Timeout;

  constructor(parts: OpenPacksParts) {
    this.#metadata = parts.metadata;
    this.#blobs = parts.blobs;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#onDamage = parts.onDamage ?? (() => {});
    this.#sweeper = setInterval(() => this.#closeIdle(IDLE_MS), IDLE_MS);
    this.#sweeper.unref();
  }

  /**
   * Opens the packs that are not open yet; of a NAR in very many of them each is looked at, unless it
   * was seconds ago. Throws `corrupt` when one is damaged. Answers the rows that it has read: who
   * opens packs later saves asking for them.
   */
  async check(ids: readonly number[]): Promise<ReadonlyMap<number, Pack>> {
    const unknown = ids.filter((id) => !this.#entries.has(id));
    if (unknown.length === 0) return NO_PACKS;
    const rows = await this.#rows(unknown);
    if (ids.length > MANY) await this.#look(rows.filter(([id]) => !this.#wasSeen(id, IDLE_MS)));
    else await Promise.all(rows.map(([id, row]) => this.use(id, async () => {}, row)));
    return new Map(rows.filter((each): each is [number, Pack] => each[1] !== undefined));
  }

  /**
   * Whether all these packs were there a moment ago. One that is not has been marked damaged, as
   * whenever it is opened. None is left open: who only refers to a pack must not delay that a reader
   * finds it gone.
   */
  async areThere(ids: readonly number[]): Promise<boolean> {
    const unseen = ids.filter((id) => !this.#wasSeen(id, SEEN_MS));
    if (unseen.length === 0) return true;
    try {
      await this.#look(await this.#rows(unseen));
      return true;
    } catch (error) {
      if (isFlywheelError(error, 'corrupt')) return false;
      throw error;
    }
  }

  #wasSeen(id: number, withinMs: number): boolean {
    return (this.#seen.get(id) ?? 0) > this.#clock.now() - withinMs;
  }

  /** Opens and closes each, some at once. Throws `corrupt` when one is damaged. */
  async #look(rows: readonly [number, Pack | undefined][]): Promise<void> {
    const rest = rows.entries();
    const worker = async (): Promise<void> => {
      for (const [at, row] of rest) {
        if (at % LOOKS_A_TURN === 0) await setImmediate();
        const { reader } = await this.#open(...row);
        await reader.close();
      }
    };
    await Promise.all(Array.from({ length: Math.min(LOOKS_AT_ONCE, rows.length) }, worker));
  }

  /**
   * The row of a pack that is there. Not a use: a pack that others send is looked at anew from time
   * to time.
   */
  async find(id: number): Promise<Pack> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return this.use(id, async (_, pack) => pack);
    return (await entry.open).pack;
  }

  /**
   * Runs `work` with the pack open. `row` saves a query where the caller has it, and a look when the
   * pack was `looked` at. One that is found to be `corrupt` while it is read is damaged too.
   */
  async use<T>(
    id: number,
    work: (reader: BlobReader, pack: Pack) => Promise<T>,
    row?: Pack,
    looked = false,
  ): Promise<T> {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { open: this.#open(id, row, looked), users: 0, usedAt: 0 };
      this.#entries.set(id, entry);
      // `check` has opened what a NAR in few packs needs.
      if (looked) this.#passedThrough.add(id);
    }
    entry.users += 1;
    try {
      const { reader, pack } = await entry.open;
      return await work(reader, pack).catch(async (error: unknown) => {
        if (!isFlywheelError(error, 'corrupt')) throw error;
        this.#entries.delete(id);
        await reader.close().catch(() => {});
        throw await this.#damaged(id, pack, undefined);
      });
    } finally {
      entry.users -= 1;
      entry.usedAt = this.#clock.now();
      if (this.#passedThrough.size > PASSED_THROUGH) this.#closePassedThrough();
      if (this.#entries.size > CAPACITY) this.#closeIdle(0);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const { open } of entries) await open.then(({ reader }) => reader.close()).catch(() => {});
  }

  async #rows(ids: readonly number[]): Promise<readonly [number, Pack | undefined][]> {
    const found = new Map((await this.#metadata.findPacks(ids)).map((pack) => [pack.id, pack]));
    return ids.map((id) => [id, found.get(id)]);
  }

  async #open(id: number, known: Pack | undefined, looked = false): Promise<OpenPack> {
    try {
      const pack = known ?? (await this.#metadata.findPacks([id]))[0];
      const reader = pack && (await this.#blobs.open(pack.key, looked ? pack.size : undefined));
      if (reader !== undefined && reader.size === pack?.size) {
        this.#seen.set(id, this.#clock.now());
        return { reader, pack };
      }
      await reader?.close();
      throw await this.#damaged(id, pack, reader?.size);
    } catch (error) {
      this.#entries.delete(id);
      throw error;
    }
  }

  async #damaged(
    id: number,
    pack: Pack | undefined,
    foundBytes: number | undefined,
  ): Promise<FlywheelError> {
    this.#seen.delete(id);
    const narsNowMissing = await this.#metadata.markPackDamaged(id);
    this.#onDamage();
    this.#logger.error('a pack is missing or has the wrong size', {
      pack: pack?.key ?? id,
      expectedBytes: pack?.size,
      foundBytes,
      narsNowMissing,
    });
    return new FlywheelError('corrupt', `pack ${pack?.key ?? id} is missing or incomplete`);
  }

  #closePassedThrough(): void {
    for (const id of this.#passedThrough) {
      const entry = this.#entries.get(id);
      if (entry !== undefined && entry.users > 0) continue;
      this.#passedThrough.delete(id);
      this.#entries.delete(id);
      entry?.open.then(({ reader }) => reader.close()).catch(() => {});
    }
  }

  #closeIdle(idleMs: number): void {
    const before = this.#clock.now() - idleMs;
    for (const [id, entry] of this.#entries) {
      if (entry.users > 0 || entry.usedAt > before) continue;
      this.#entries.delete(id);
      entry.open.then(({ reader }) => reader.close()).catch(() => {});
      if (idleMs === 0 && this.#entries.size <= CAPACITY / 2) return;
    }
  }
}
