import { join } from 'node:path';
import type { ByteStream } from '@flywheel/base';
import { NarParser, parseStorePath } from '@flywheel/nix';
import type { NarInfo } from '@flywheel/nix';
import { unpackNar } from './unpack-nar.ts';

/**
 * Where a pulled path goes. The stream is the plain NAR, and throws at its end when the NAR is not
 * the one that was signed: what was made of it must then not remain.
 */
export type PullSink = (info: NarInfo, nar: ByteStream) => Promise<void>;

/** Keeps nothing: for checking that a cache serves what it should. */
export async function discardNar(_info: NarInfo, nar: ByteStream): Promise<void> {
  const parser = new NarParser({});
  for await (const piece of nar) parser.write(piece);
  parser.end();
}

/** Unpacks each path as `directory`/<hash>-<name>. What exists there is not replaced. */
export function unpackInto(directory: string): PullSink {
  return (info, nar) => unpackNar(nar, join(directory, parseStorePath(info.storePath).baseName));
}
