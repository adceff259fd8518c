/** What a binary cache says about a store path, in `<hash>.narinfo`. */
export interface NarInfo {
  /** Full path. */
  readonly storePath: string;
  /** Where the NAR is, relative to the cache's root or absolute. */
  readonly url: string;
  /** `none`, `xz`, `bzip2`, `zstd`, `br`, … */
  readonly compression: string;
  /** Hash of the file behind `url`, as it was written. */
  readonly fileHash?: string;
  /** Bytes behind `url`. */
  readonly fileSize?: number;
  /** SHA-256 of the NAR, 32 bytes. */
  readonly narHash: Buffer;
  /** Bytes of the NAR, more than 0. */
  readonly narSize: number;
  /** Base names, in the order given; Nix sorts them. */
  readonly references: readonly string[];
  /** Base name. */
  readonly deriver?: string;
  readonly system?: string;
  /** `name:base64`. */
  readonly sigs: readonly string[];
  /** Content address, see `parseContentAddress`. */
  readonly ca?: string;
}
