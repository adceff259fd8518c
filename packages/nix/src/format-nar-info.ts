import { FlywheelError } from '@flywheel/base';
import { formatSha256 } from './hash.ts';
import type { HashFormat } from './hash.ts';
import type { NarInfo } from './nar-info.ts';

/**
 * Writes a narinfo, its lines in the order of Nix and Attic. `NarHash` is in hex, as Attic has it,
 * unless told otherwise. Throws `invalid-input` for a value that would break out of its line.
 */
export function formatNarInfo(
  info: NarInfo,
  options: { readonly narHashFormat?: HashFormat } = {},
): string {
  const fields: readonly (readonly [key: string, value: string | number | undefined])[] = [
    ['StorePath', info.storePath],
    ['URL', info.url],
    ['Compression', info.compression],
    ['FileHash', info.fileHash],
    ['FileSize', info.fileSize],
    ['NarHash', formatSha256(info.narHash, options.narHashFormat ?? 'hex')],
    ['NarSize', info.narSize],
    // Without references its trailing space stays: Nix reads from two characters past the colon.
    ['References', info.references.join(' ')],
    ['System', info.system],
    ['Deriver', info.deriver],
    ...info.sigs.map((signature) => ['Sig', signature] as const),
    ['CA', info.ca],
  ];
  let text = '';
  for (const [key, value] of fields) {
    if (value === undefined) continue;
    const line = `${key}: ${value}`;
    if (/[\r\n]/.test(line)) {
      throw new FlywheelError('invalid-input', `narinfo: ${key} has a line break in its value`);
    }
    text += `${line}\n`;
  }
  return text;
}
