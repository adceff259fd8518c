export { decodeBase32, encodeBase32 } from './base-32.ts';
export { formatHash, formatSha256, parseHash, parseSha256 } from './hash.ts';
export type { Hash, HashAlgorithm, HashFormat } from './hash.ts';
export {
  DEFAULT_STORE_DIR,
  formatStorePath,
  isStoreBaseName,
  isStorePathHash,
  parseStorePath,
} from './store-path.ts';
export type { StorePath } from './store-path.ts';
export { makeFixedOutputPath, makeStorePath, makeTextPath } from './make-store-path.ts';
export { formatContentAddress, parseContentAddress } from './content-address.ts';
export type { ContentAddress, ContentAddressMethod } from './content-address.ts';
export { decodeFileName, encodeFileName } from './file-name.ts';
export { encodeNar } from './nar-writer.ts';
export type { FileName, NarEntries, NarNode } from './nar-writer.ts';
export { NarParser } from './nar-parser.ts';
export type { NarFile, NarHandler } from './nar-parser.ts';
export { narListing } from './nar-listing.ts';
export type { NarListing, NarListingNode } from './nar-listing.ts';
export { parseNarInfo } from './parse-nar-info.ts';
export { formatNarInfo } from './format-nar-info.ts';
export type { NarInfo } from './nar-info.ts';
export { fingerprint } from './fingerprint.ts';
export { generateSecretKey, SecretKey } from './secret-key.ts';
export { PublicKey } from './public-key.ts';
export { isSignature, mergeSignatures } from './signature.ts';
