import { createCipheriv, createHash } from 'node:crypto';
import { encodeNar, makeFixedOutputPath, parseStorePath, type NarNode } from '@flywheel/nix';

/** A store path whose NAR is made anew each time it is sent, so that its size costs no memory. */
export interface GeneratedPath {
  readonly storePath: string;
  readonly hash: string;
  readonly narHash: Buffer;
  readonly narSize: number;
  nar(): AsyncGenerator<Uint8Array>;
}

const BLOCK = 256 * 1024;

/**
 * Bytes that compress to about a third, like programs do: of each 256 KiB a quarter is noise and
 * the rest is text made from it. `seed` decides all of it.
 */
export function* realisticBytes(size: number, seed: string): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(BLOCK / 4);
  for (let done = 0; done < size; done += BLOCK) {
    const noise = cipher.update(zeros);
    const text = noise.toString('hex', 0, BLOCK / 8).replaceAll(/[0-7]/g, ' ');
    const block = Buffer.concat([noise, Buffer.from(text), Buffer.from(text), Buffer.from(text)]);
    yield block.subarray(0, Math.min(block.length, size - done));
  }
}

/** A path of one executable file of this size. */
export async function generatePath(
  name: string,
  size: number,
  contents: () => Iterable<Buffer>,
): Promise<GeneratedPath> {
  const node: NarNode = { type: 'regular', executable: true, size, contents };
  const digest = createHash('sha256');
  let narSize = 0;
  for await (const piece of encodeNar(node)) {
    digest.update(piece);
    narSize += piece.length;
  }
  const narHash = digest.digest();
  const storePath = makeFixedOutputPath({ method: 'recursive', hash: narHash, name });
  const { hash } = parseStorePath(storePath);
  return { storePath, hash, narHash, narSize, nar: () => encodeNar(node) };
}
