import { FlywheelError, type Clock, type Logger } from '@flywheel/base';
import type { BlobReader, Blobs } from '../blobs/blobs.ts';
import type { Metadata, Pack } from '../db/metadata.ts';

interface Entry {
  readonly reader: Promise<BlobReader>;
  users: number;
  usedAt: number;
}

/** Far below the usual limit of 1024 files for a process. */
const CAPACITY = 128;

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
  readonly #entries = new Map<number, Entry>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(parts: { metadata: Metadata; blobs: Blobs; clock: Clock; logger: Logger }) {
    this.#metadata = parts.metadata;
    this.#blobs = parts.blobs;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#sweeper = setInterval(() => this.#closeIdle(IDLE_MS), IDLE_MS);
    this.#sweeper.unref();
  }

  /** Opens the packs that are not open yet. Throws `corrupt` when one is damaged. */
  async check(ids: readonly number[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#entries.has(id));
    if (unknown.length === 0) return;
    const rows = new Map((await this.#metadata.findPacks(unknown)).map((pack) => [pack.id, pack]));
    for (const id of unknown) await this.use(id, async () => {}, rows.get(id));
  }

  /** Runs `work` with the pack open. `pack` saves a query where the caller has the row. */
  async use<T>(id: number, work: (reader: BlobReader) => Promise<T>, pack?: Pack): Promise<T> {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { reader: this.#open(id, pack), users: 0, usedAt: 0 };
      this.#entries.set(id, entry);
    }
    entry.users += 1;
    try {
      return await work(await entry.reader);
    } finally {
      entry.users -= 1;
      entry.usedAt = this.#clock.now();
      if (this.#entries.size > CAPACITY) this.#closeIdle(0);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const { reader } of entries) await reader.then((open) => open.close()).catch(() => {});
  }

  async #open(id: number, known: Pack | undefined): Promise<BlobReader> {
    try {
      const pack = known ?? (await this.#metadata.findPacks([id]))[0];
      const reader = pack && (await this.#blobs.open(pack.key));
      if (reader !== undefined && reader.size === pack?.size) return reader;
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
    const narsNowMissing = await this.#metadata.markPackDamaged(id);
    this.#logger.error('a pack is missing or has the wrong size', {
      pack: pack?.key ?? id,
      expectedBytes: pack?.size,
      foundBytes,
      narsNowMissing,
    });
    return new FlywheelError('corrupt', `pack ${pack?.key ?? id} is missing or incomplete`);
  }

  #closeIdle(idleMs: number): void {
    const before = this.#clock.now() - idleMs;
    for (const [id, entry] of this.#entries) {
      if (entry.users > 0 || entry.usedAt > before) continue;
      this.#entries.delete(id);
      entry.reader.then((reader) => reader.close()).catch(() => {});
      if (idleMs === 0 && this.#entries.size <= CAPACITY / 2) return;
    }
  }
}
