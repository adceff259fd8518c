import { FlywheelError } from '@flywheel/base';

// A pack is one object that describes itself: zstd frames, then this index in a zstd *skippable
// frame* (RFC 8878 section 3.1.2), which every decompressor passes over. All integers little-endian.
//
//   u32 skippable magic   u32 payload length
//   payload:
//     u8 format version (1), 3 bytes zero
//     nar hash (32 bytes)   u64 nar size
//     u32 frame count       u32 foreign count   u32 sequence count   u32 origin length
//     frames:   hash (32), u32 chunk size, u32 frame length, u32 CRC-32 of the frame
//     foreign:  hash (32), u32 chunk size         chunks of this NAR that live in other packs
//     sequence: u32 each: the NAR's chunks in order, an index into frames ++ foreign
//     origin:   JSON, who pushed what: enough to rebuild the path's metadata
//     footer:   u32 payload length, "FLYWPACK"

const SKIPPABLE_MAGIC = 0x184d2a5e;
const FOOTER = Buffer.from('FLYWPACK', 'latin1');
const HEADER_BYTES = 4 + 32 + 8 + 4 * 4;
const FRAME_BYTES = 32 + 12;
const FOREIGN_BYTES = 32 + 4;

/** How many bytes at the end of a pack hold the footer that tells where its index begins. */
export const PACK_FOOTER_BYTES = 4 + FOOTER.length;

/** A chunk stored in this pack: SHA-256 and size of its plain bytes; its frame's length and CRC. */
export interface PackedFrame {
  readonly hash: Buffer;
  readonly size: number;
  readonly length: number;
  readonly crc: number;
}

/** A chunk of the NAR that another pack stores. */
export interface ForeignChunk {
  readonly hash: Buffer;
  readonly size: number;
}

export interface PackIndex {
  readonly narHash: Buffer;
  readonly narSize: number;
  readonly frames: readonly PackedFrame[];
  readonly foreign: readonly ForeignChunk[];
  /** The NAR's chunks in order; `i < frames.length` is a frame, above that a foreign chunk. */
  readonly sequence: readonly number[];
  /** Metadata of the path that brought the NAR here, JSON; empty when unknown. */
  readonly origin: string;
}

/** The skippable frame that ends a pack. */
export function encodePackIndex(index: PackIndex): Buffer {
  const origin = Buffer.from(index.origin, 'utf8');
  const payloadBytes =
    HEADER_BYTES +
    index.frames.length * FRAME_BYTES +
    index.foreign.length * FOREIGN_BYTES +
    index.sequence.length * 4 +
    origin.length +
    PACK_FOOTER_BYTES;
  const bytes = Buffer.alloc(8 + payloadBytes);
  let at = bytes.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  at = bytes.writeUInt32LE(payloadBytes, at);
  at = bytes.writeUInt32LE(1, at);
  at += index.narHash.copy(bytes, at);
  at = bytes.writeBigUInt64LE(BigInt(index.narSize), at);
  const counts = [index.frames.length, index.foreign.length, index.sequence.length, origin.length];
  for (const count of counts) at = bytes.writeUInt32LE(count, at);
  for (const frame of index.frames) {
    at += frame.hash.copy(bytes, at);
    at = bytes.writeUInt32LE(frame.size, at);
    at = bytes.writeUInt32LE(frame.length, at);
    at = bytes.writeUInt32LE(frame.crc, at);
  }
  for (const chunk of index.foreign) {
    at += chunk.hash.copy(bytes, at);
    at = bytes.writeUInt32LE(chunk.size, at);
  }
  for (const position of index.sequence) at = bytes.writeUInt32LE(position, at);
  at += origin.copy(bytes, at);
  at = bytes.writeUInt32LE(payloadBytes, at);
  FOOTER.copy(bytes, at);
  return bytes;
}

/** Length in bytes of the whole index frame, from a pack's last PACK_FOOTER_BYTES. */
export function packIndexLength(footer: Uint8Array): number {
  const bytes = Buffer.from(footer.buffer, footer.byteOffset, footer.length);
  if (bytes.length !== PACK_FOOTER_BYTES || !bytes.subarray(4).equals(FOOTER)) {
    throw corrupt('it does not end with a pack footer');
  }
  return bytes.readUInt32LE(0) + 8;
}

/** The index from its skippable frame. Anything inconsistent is `corrupt`: this is read from disk. */
export function decodePackIndex(frame: Uint8Array): PackIndex {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  const payloadBytes = bytes.length - 8;
  if (payloadBytes < HEADER_BYTES + PACK_FOOTER_BYTES) throw corrupt('it is too short');
  if (bytes.readUInt32LE(0) !== SKIPPABLE_MAGIC) throw corrupt('it is not a skippable zstd frame');
  if (bytes.readUInt32LE(4) !== payloadBytes) throw corrupt('its length is wrong');
  if (packIndexLength(bytes.subarray(-PACK_FOOTER_BYTES)) !== bytes.length) {
    throw corrupt('its two lengths differ');
  }
  const version = bytes.readUInt32LE(8);
  if (version !== 1) throw corrupt(`its format version is ${version}; this program reads 1`);
  const narHash = Buffer.from(bytes.subarray(12, 44));
  const narSize = Number(bytes.readBigUInt64LE(44));
  const [frameCount, foreignCount, sequenceCount, originBytes] = [52, 56, 60, 64].map((at) =>
    bytes.readUInt32LE(at),
  ) as [number, number, number, number];
  const declared =
    HEADER_BYTES +
    frameCount * FRAME_BYTES +
    foreignCount * FOREIGN_BYTES +
    sequenceCount * 4 +
    originBytes +
    PACK_FOOTER_BYTES;
  if (declared !== payloadBytes) throw corrupt('its counts do not add up to its length');

  let at = 8 + HEADER_BYTES;
  const frames: PackedFrame[] = [];
  for (let i = 0; i < frameCount; i += 1, at += FRAME_BYTES) {
    frames.push({
      hash: Buffer.from(bytes.subarray(at, at + 32)),
      size: bytes.readUInt32LE(at + 32),
      length: bytes.readUInt32LE(at + 36),
      crc: bytes.readUInt32LE(at + 40),
    });
  }
  const foreign: ForeignChunk[] = [];
  for (let i = 0; i < foreignCount; i += 1, at += FOREIGN_BYTES) {
    foreign.push({
      hash: Buffer.from(bytes.subarray(at, at + 32)),
      size: bytes.readUInt32LE(at + 32),
    });
  }
  const sequence: number[] = [];
  let total = 0;
  for (let i = 0; i < sequenceCount; i += 1, at += 4) {
    const position = bytes.readUInt32LE(at);
    const chunk = position < frameCount ? frames[position] : foreign[position - frameCount];
    if (chunk === undefined) throw corrupt(`chunk ${i} of its sequence does not exist`);
    total += chunk.size;
    sequence.push(position);
  }
  if (total !== narSize) throw corrupt(`its chunks have ${total} bytes, its NAR ${narSize}`);
  const origin = bytes.toString('utf8', at, at + originBytes);
  return { narHash, narSize, frames, foreign, sequence, origin };
}

function corrupt(what: string): FlywheelError {
  return new FlywheelError('corrupt', `this is not a valid pack index: ${what}`);
}
