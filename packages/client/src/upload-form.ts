import type { ByteStream } from '@flywheel/base';
import { formatSha256, parseStorePath } from '@flywheel/nix';
import type { PathSource } from './path-source.ts';

/** From this many bytes on the description goes before the NAR: headers have limits everywhere. */
const PREAMBLE_FROM_BYTES = 4096;

export interface UploadForm {
  readonly headers: Readonly<Record<string, string>>;
  readonly preamble?: Buffer;
}

/** What Attic's protocol wants to be told about a path, and in which of its two forms. */
export function uploadForm(cache: string, source: PathSource): UploadForm {
  const json = JSON.stringify({
    cache,
    store_path_hash: parseStorePath(source.storePath).hash,
    store_path: source.storePath,
    references: source.references,
    deriver: source.deriver,
    sigs: source.sigs,
    ca: source.ca,
    nar_hash: formatSha256(source.narHash, 'hex'),
    nar_size: source.narSize,
  });
  const preamble = Buffer.from(json, 'utf8');
  if (preamble.length < PREAMBLE_FROM_BYTES && /^[\x20-\x7e]*$/.test(json)) {
    return { headers: { 'X-Attic-Nar-Info': json } };
  }
  return {
    headers: { 'X-Attic-Nar-Info-Preamble-Size': String(preamble.length) },
    preamble,
  };
}

/** The request's body. `onBytes` hears of the NAR's bytes when they are handed to the connection. */
export async function* uploadBody(
  form: UploadForm,
  nar: ByteStream,
  onBytes: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  if (form.preamble !== undefined) yield form.preamble;
  for await (const piece of nar) {
    yield piece;
    onBytes?.(piece.length);
  }
}
