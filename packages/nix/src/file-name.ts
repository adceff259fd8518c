import { isUtf8 } from 'node:buffer';
import { asBuffer } from './as-buffer.ts';

/**
 * File names and symlink targets are bytes. As strings they are UTF-8; a byte that is not part of
 * valid UTF-8 becomes the lone surrogate U+DC00 + byte, as Python's `surrogateescape` does, so that
 * any name survives the way through a string and back.
 */
export function decodeFileName(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  let text = '';
  for (let start = 0; start < buffer.length;) {
    const length = validSequenceLength(buffer, start);
    text +=
      length === 0
        ? String.fromCharCode(0xdc00 + (buffer[start] ?? 0))
        : buffer.toString('utf8', start, start + length);
    start += Math.max(length, 1);
  }
  return text;
}

/** The inverse of `decodeFileName`. */
export function encodeFileName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name, 'utf8');
  const pieces: Buffer[] = [];
  for (const character of name) {
    const code = character.charCodeAt(0);
    const escaped = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    pieces.push(escaped ? Buffer.of(code - 0xdc00) : Buffer.from(character, 'utf8'));
  }
  return Buffer.concat(pieces);
}

/** How many bytes the valid UTF-8 character at `start` has; 0 when there is none. */
function validSequenceLength(buffer: Buffer, start: number): number {
  for (let length = 1; length <= 4 && start + length <= buffer.length; length += 1) {
    if (isUtf8(buffer.subarray(start, start + length))) return length;
  }
  return 0;
}
