import { crc32 } from 'node:zlib';
import { FlywheelError, isFlywheelError } from '@flywheel/base';
import type { PackedFrame } from '@flywheel/chunking';
import type { BlobWriter } from '../blobs/blobs.ts';
import { NEW_PACK, type Pack } from '../db/metadata.ts';
import type { Gathering } from '../db/gather-rows.ts';
import {
  isPassing,
  moveFrames,
  namelessIndex,
  reportUnreadable,
  type Copied,
  type MovingStore,
} from './move-frames.ts';
import type { Pace } from './pace.ts';
import { plainDigest } from './plain-digest.ts';

export interface Gathered {
  /** Objects that lie in packs of ours now. */
  readonly objects: number;
  readonly packs: number;
}

/** Rows that a transaction changes, and frames of a pack. */
const FRAMES = 256;
/** Larger ones are as good as a pack. In memory are so many times this at most. */
const MAX_BYTES = 1024 * 1024;
/** An object store answers each after tens of milliseconds. */
const READS_AT_ONCE = 16;

/**
 * Copies what was taken over from Attic into packs of ours, as it is, when the takeover is finished:
 * hundreds of objects become one, in the order in which they are read. Each is decompressed once, for
 * the hash that the index of the pack names. Safe beside uploads and downloads; killed at any moment,
 * it leaves the objects as they were, and of the new pack a lease that tells what to remove.
 */
export async function gather(
  store: MovingStore,
  pace: Pace,
  report: (done: Gathered) => void,
): Promise<Gathered> {
  const { metadata, logger } = store;
  const done = { objects: 0, packs: 0 };
  if (!(await metadata.isGatheringDue())) return done;
  let failed = false;
  for (let after = 0; ;) {
    const found = await metadata.packsToGather(after, FRAMES, MAX_BYTES);
    const last = found.at(-1);
    if (last === undefined) break;
    after = last.id;
    try {
      const isDone = await gatherSome(store, await metadata.inNarOrder(found), pace);
      if (isDone) {
        done.objects += found.length;
        done.packs += 1;
        report(done);
      } else failed = true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      logger.warn('objects of Attic were not gathered; it is tried again', { error });
      failed = true;
    }
    await pace.rest();
  }
  if (!failed) await metadata.gatheringDone();
  return done;
}

async function gatherSome(
  store: MovingStore,
  sources: readonly Pack[],
  pace: Pace,
): Promise<boolean> {
  if (sources.length === 0) return true;
  return moveFrames(store, pace, {
    copy: (writer) => copyObjects(store, sources, writer, pace),
    commit: (to, copied) => store.metadata.commitGathering({ ...to, sources: copied.sources }),
  });
}

interface CopiedObjects extends Copied {
  readonly sources: Gathering['sources'];
}

/** Undefined when one of them is damaged: it has been reported, and the others are tried again. */
async function copyObjects(
  store: MovingStore,
  packs: readonly Pack[],
  writer: BlobWriter,
  pace: Pace,
): Promise<CopiedObjects | undefined> {
  const frames: PackedFrame[] = [];
  const sources: Gathering['sources'][number][] = [];
  let offset = 0;
  for (let at = 0; at < packs.length; at += READS_AT_ONCE) {
    const some = packs.slice(at, at + READS_AT_ONCE);
    const read = await Promise.all(some.map((pack) => readObject(store, pack)));
    const whole = read.filter((each) => each !== undefined);
    if (whole.length < some.length) return undefined;
    await writer.write(whole.map(({ bytes }) => bytes));
    for (const [i, { frame }] of whole.entries()) {
      const { id } = some[i] as Pack;
      frames.push(frame);
      sources.push({ id, length: frame.length, newOffset: offset });
      offset += frame.length;
    }
    await pace.rest();
  }
  const index = namelessIndex(frames);
  await writer.write([index]);
  const chunks = frames.map(({ hash, size, length }, i) => {
    const { newOffset } = sources[i] as Gathering['sources'][number];
    return { hash, pack: NEW_PACK, offset: newOffset, length, size };
  });
  return { size: offset + index.length, sources, chunks };
}

async function readObject(
  store: MovingStore,
  pack: Pack,
): Promise<{ readonly bytes: Buffer; readonly frame: PackedFrame } | undefined> {
  try {
    const bytes = await readWhole(store, pack);
    const plain = await plainDigest([bytes]);
    if (plain === undefined) throw damaged(pack, 'does not decompress');
    const [known] = await store.metadata.chunksOfPack(pack.id);
    if (known !== undefined && !known.hash.equals(plain.hash)) throw damaged(pack, 'has changed');
    return { bytes, frame: { ...plain, length: bytes.length, crc: crc32(bytes) } };
  } catch (error) {
    if (!isFlywheelError(error, 'corrupt')) throw error;
    await reportUnreadable(store, pack, error);
    return undefined;
  }
}

async function readWhole({ blobs }: Pick<MovingStore, 'blobs'>, pack: Pack): Promise<Buffer> {
  const reader = await blobs.open(pack.key);
  try {
    if (reader?.size !== pack.size) throw damaged(pack, 'is missing or has another size');
    const bytes = Buffer.allocUnsafe(pack.size);
    await reader.read(bytes, 0);
    return bytes;
  } finally {
    await reader?.close();
  }
}

function damaged({ key }: Pack, what: string): FlywheelError {
  return new FlywheelError('corrupt', `pack ${key} ${what}`);
}
