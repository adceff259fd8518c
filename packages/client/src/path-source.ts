import type { ByteStream } from '@flywheel/base';

/** A store path that is ready to be pushed: what a cache must know of it, and its contents. */
export interface PathSource {
  /** Full path. */
  readonly storePath: string;
  /** Base names, the path's own included where it refers to itself. */
  readonly references: readonly string[];
  /** SHA-256 of the NAR, 32 bytes. */
  readonly narHash: Buffer;
  /** Bytes of the NAR. */
  readonly narSize: number;
  /** Base name. */
  readonly deriver?: string;
  /** Content address, as Nix writes it. */
  readonly ca?: string;
  /** `name:base64`. */
  readonly sigs: readonly string[];
  /** The plain NAR. Each call starts at its beginning, so that a push can be tried again. */
  nar(): ByteStream;
}
