import { createHash } from 'node:crypto';
import type { ByteStream } from '@flywheel/base';
import { encodeBase32, encodeNar } from '@flywheel/nix';
import type { PathSource } from './path-source.ts';

/** A store path that holds one file. Its hash is made up of its name, so that tests can refer to it. */
export async function testSource(
  name: string,
  content: Uint8Array | string = name,
  changes: Partial<PathSource> = {},
): Promise<PathSource> {
  const bytes = Buffer.from(content);
  const nar = (): ByteStream =>
    encodeNar({
      type: 'regular',
      executable: false,
      size: bytes.length,
      contents: () => piecesOf(bytes),
    });
  const hash = createHash('sha256');
  let narSize = 0;
  for await (const piece of nar()) {
    hash.update(piece);
    narSize += piece.length;
  }
  return {
    storePath: `/nix/store/${baseNameFor(name)}`,
    references: [],
    narHash: hash.digest(),
    narSize,
    sigs: [],
    nar,
    ...changes,
  };
}

export function baseNameFor(name: string): string {
  const digest = createHash('sha256').update(name).digest().subarray(0, 20);
  return `${encodeBase32(digest)}-${name}`;
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 65_536) {
    yield bytes.subarray(start, start + 65_536);
  }
}
