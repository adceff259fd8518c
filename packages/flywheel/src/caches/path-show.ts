import { formatBytes } from '@flywheel/base';
import { formatSha256, parseNarInfo } from '@flywheel/nix';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { readNarInfo } from './path-api.ts';
import { pathHashOf } from './path-hash.ts';

export type PathShowFlags = OutputFlags & ServerFlags;

export async function runPathShow(
  context: CliContext,
  flags: PathShowFlags,
  cache: string,
  path: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const info = parseNarInfo(await readNarInfo(server, cache, pathHashOf(path), context.signal));
  const narHash = formatSha256(info.narHash, 'base32');
  const download =
    info.fileSize === undefined ? 'not known until it is pulled' : formatBytes(info.fileSize);
  output.print(
    formatTable([
      ['Path', info.storePath],
      ['NAR hash', narHash],
      ['NAR size', formatBytes(info.narSize)],
      ['Download', download],
      ['Deriver', info.deriver ?? '–'],
      ['System', info.system ?? '–'],
      ...(info.ca === undefined ? [] : [['Content address', info.ca]]),
      ...info.sigs.map((sig, place) => [place === 0 ? 'Signatures' : '', sig]),
      ...info.references.map((base, place) => [place === 0 ? 'References' : '', base]),
    ]),
  );
  output.result({
    store_path: info.storePath,
    nar_hash: narHash,
    nar_size: info.narSize,
    file_size: info.fileSize ?? null,
    deriver: info.deriver ?? null,
    system: info.system ?? null,
    ca: info.ca ?? null,
    signatures: info.sigs,
    references: info.references,
  });
}
