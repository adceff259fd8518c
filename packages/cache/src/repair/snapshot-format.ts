import { z } from 'zod';
import { FlywheelError } from '@flywheel/base';

// JSON lines: a head, the records of each cache after the cache itself, and an end that counts them.

const Head = z.object({
  format: z.literal('flywheel-cache-snapshot'),
  version: z.literal(1),
  /** Milliseconds since the epoch, like all times here. */
  created_at: z.number(),
});

const CacheRecord = z.object({
  type: z.literal('cache'),
  name: z.string(),
  public_key: z.string(),
  /** By the ids of the token keys that open it. */
  sealed_secret_key: z.record(z.string(), z.string()),
  is_public: z.boolean(),
  store_dir: z.string(),
  priority: z.number(),
  upstream_cache_key_names: z.array(z.string()),
  retention_seconds: z.number().nullable(),
  quota_bytes: z.number().nullable(),
  upstreams: z.array(z.object({ url: z.string(), public_keys: z.array(z.string()) })).default([]),
  created_at: z.number(),
});

const ObjectRecord = z.object({
  type: z.literal('object'),
  cache: z.string(),
  store_path_hash: z.string(),
  store_path: z.string(),
  /** Base 16. */
  nar_hash: z.string(),
  references: z.array(z.string()),
  deriver: z.string().nullable(),
  system: z.string().nullable(),
  sigs: z.array(z.string()),
  ca: z.string().nullable(),
  created_at: z.number(),
  last_used_at: z.number(),
  created_by: z.string().nullable(),
});

const PinRecord = z.object({
  type: z.literal('pin'),
  cache: z.string(),
  name: z.string(),
  keep_revisions: z.number(),
  keep_seconds: z.number().nullable(),
  latest: z.number(),
  revisions: z.array(
    z.object({
      store_path_hash: z.string(),
      store_path: z.string(),
      revision: z.number(),
      created_at: z.number(),
      created_by: z.string().nullable(),
    }),
  ),
});

const End = z.object({ type: z.literal('end'), records: z.number() });

const Line = z.discriminatedUnion('type', [CacheRecord, ObjectRecord, PinRecord, End]);

export type CacheRecord = z.infer<typeof CacheRecord>;
export type ObjectRecord = z.infer<typeof ObjectRecord>;
export type PinRecord = z.infer<typeof PinRecord>;
export type SnapshotRecord = CacheRecord | ObjectRecord | PinRecord;

export async function* formatSnapshot(
  createdAt: number,
  records: AsyncIterable<SnapshotRecord>,
): AsyncGenerator<string> {
  const head = { format: 'flywheel-cache-snapshot', version: 1, created_at: createdAt };
  yield `${JSON.stringify(head)}\n`;
  let count = 0;
  for await (const record of records) {
    count += 1;
    yield `${JSON.stringify(record)}\n`;
  }
  yield `${JSON.stringify({ type: 'end', records: count })}\n`;
}

/** First when it was made, then its records. Throws `corrupt` at the latest where the end is not. */
export async function* parseSnapshot(
  lines: AsyncIterable<string>,
): AsyncGenerator<z.infer<typeof Head> | SnapshotRecord> {
  let count = -1;
  let isWhole = false;
  for await (const line of lines) {
    if (isWhole) throw corrupt('it goes on after its end');
    const record = count < 0 ? parsed(Head, line) : parsed(Line, line);
    if ('type' in record && record.type === 'end') {
      if (record.records !== count) throw corrupt(`it has ${count} of ${record.records} records`);
      isWhole = true;
      continue;
    }
    count += 1;
    yield record;
  }
  if (!isWhole) throw corrupt('it has no end');
}

function parsed<T>(schema: z.ZodType<T>, line: string): T {
  try {
    return schema.parse(JSON.parse(line));
  } catch (cause) {
    throw new FlywheelError('corrupt', 'a line of the snapshot is not what it should be', {
      cause,
    });
  }
}

function corrupt(what: string): FlywheelError {
  return new FlywheelError('corrupt', `the snapshot is not whole: ${what}`);
}
