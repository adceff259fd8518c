import { createHash } from 'node:crypto';
import { FlywheelError } from '@flywheel/base';
import type { ByteStream } from '@flywheel/base';
import { fingerprint, formatSha256 } from '@flywheel/nix';
import type { NarInfo, PublicKey } from '@flywheel/nix';

/**
 * Passes a plain NAR on, and throws `corrupt` instead of ending when it is not the one that the
 * narinfo describes. Who acts on the bytes before the end has to undo it then.
 */
export async function* verifiedNar(
  info: NarInfo,
  nar: ByteStream,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of nar) {
    size += piece.length;
    // At once: what comes out of a decompressor may be without end.
    if (size > info.narSize) throw mismatch(info, `it has more than ${info.narSize} bytes`);
    hash.update(piece);
    yield piece;
    onBytes(piece.length);
  }
  if (size !== info.narSize) {
    throw mismatch(info, `it has ${size} bytes instead of ${info.narSize}`);
  }
  const actual = hash.digest();
  if (!actual.equals(info.narHash)) {
    const expected = formatSha256(info.narHash, 'base32');
    throw mismatch(info, `its hash is ${formatSha256(actual, 'base32')}, not ${expected}`);
  }
}

/** Throws `forbidden` unless one of these keys has signed what the narinfo says. */
export function checkSignature(info: NarInfo, trustedKeys: readonly PublicKey[]): void {
  const signed = fingerprint(info);
  if (trustedKeys.some((key) => key.verify(signed, info.sigs))) return;
  const by = info.sigs.map((signature) => signature.split(':')[0]).join(', ');
  const trusted = trustedKeys.map((key) => key.name).join(', ');
  throw new FlywheelError(
    'forbidden',
    `${info.storePath} has no valid signature of a trusted key (signed by: ${by || 'nobody'}; trusted: ${trusted || 'none'})`,
    { details: { hint: "compare the cache's public key with the one that you trust" } },
  );
}

function mismatch(info: NarInfo, why: string): FlywheelError {
  return new FlywheelError(
    'corrupt',
    `the NAR of ${info.storePath} is not what was signed: ${why}`,
  );
}
