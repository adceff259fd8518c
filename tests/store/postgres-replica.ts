import { createHash } from 'node:crypto';
import type { Clock } from '@flywheel/base';
import type { DatabaseHandle } from '../../packages/cache/src/db/database.ts';
import {
  NEW_PACK,
  type ChunkLocation,
  type Metadata,
  type Nar,
  type NarCommit,
  type NarUse,
} from '../../packages/cache/src/db/metadata.ts';
import { migrate } from '../../packages/cache/src/db/migrations.ts';
import { openPostgres, type PostgresOptions } from '../../packages/cache/src/db/postgres.ts';
import { createSqlMetadata } from '../../packages/cache/src/db/sql-metadata.ts';
import { clockTime } from '../../packages/cache/src/db/time.ts';
import { packKeyOf } from '../../packages/cache/src/store/pack-key.ts';
import { TEST_SETTINGS } from '../../packages/cache/src/db/test-settings.ts';

/** One of several processes with the same database. */
export interface Replica extends AsyncDisposable {
  readonly database: DatabaseHandle;
  readonly metadata: Metadata;
}

/** With a clock, its times are those; without one, the database's, as in production. */
export async function openReplica(
  url: string,
  clock?: Clock,
  options: PostgresOptions = { poolSize: 6 },
): Promise<Replica> {
  const database = await openPostgres(url, options);
  await migrate(database);
  const now = clock && clockTime(clock);
  const metadata = createSqlMetadata(database, { now: () => 0 }, now);
  return { database, metadata, [Symbol.asyncDispose]: () => metadata.close() };
}

/** A replica whose transactions stand still before they commit. */
export interface Halted {
  readonly metadata: Metadata;
  /** Settles when a transaction stands there. */
  readonly standing: Promise<void>;
  letGo(): void;
}

export function halted({ database }: Replica, clock: Clock): Halted {
  const standing = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const handle: DatabaseHandle = {
    ...database,
    transaction: (work) =>
      database.transaction(async (tx) => {
        const result = await work(tx);
        standing.resolve();
        await gate.promise;
        return result;
      }),
  };
  const metadata = createSqlMetadata(handle, clock, clockTime(clock));
  return { metadata, standing: standing.promise, letGo: gate.resolve };
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function createCache(metadata: Metadata, name = 'main') {
  return metadata.createCache(name, TEST_SETTINGS);
}

export function objectUse(cacheId: number, hash: string): NarUse {
  return {
    object: {
      cacheId,
      storePathHash: hash,
      storePath: `/nix/store/${hash}-x`,
      references: [],
      deriver: undefined,
      system: undefined,
      sigs: [],
      ca: undefined,
      createdBy: undefined,
    },
  };
}

/** A NAR of new chunks in a pack of its own, after chunks that are stored already. */
export function narCommit(
  lease: string,
  name: string,
  fresh: readonly string[],
  known: readonly ChunkLocation[] = [],
): NarCommit {
  const chunks = fresh.map((text, i) => ({
    hash: sha256(text),
    pack: NEW_PACK,
    offset: 10 * i,
    length: 10,
    size: 100,
  }));
  const segments = [...known, ...chunks].map(({ pack, offset, length }) => {
    return { pack, offset, length };
  });
  return {
    lease,
    hash: sha256(name),
    size: 100 * segments.length,
    pack: { key: packKeyOf(lease), size: 10 * fresh.length },
    chunks,
    segments,
    fileSize: 10 * segments.length,
    listing: undefined,
  };
}

/** Begins an upload and commits it. */
export async function upload(
  metadata: Metadata,
  name: string,
  fresh: readonly string[],
  use: NarUse,
): Promise<{ readonly nar: Nar; readonly adopted: boolean }> {
  const { lease } = await metadata.beginUpload(undefined);
  return metadata.commitNar(narCommit(lease, name, fresh), use);
}
