import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

/** An input that did what no input may. */
export interface Finding {
  readonly kind: 'error' | 'slow' | 'hang' | 'crash';
  readonly message: string;
  /** The input. */
  readonly base64: string;
  readonly printable: string;
}

/** What is written of it, for `main.ts replay`. */
export interface FindingFile extends Finding {
  /** The module of the target, from the checkout's root. */
  readonly target: string;
}

const LONGEST_MESSAGE = 4000;

export function findingOf(kind: Finding['kind'], message: string, input: Uint8Array): Finding {
  const bytes = Buffer.from(input);
  return {
    kind,
    message: message.slice(0, LONGEST_MESSAGE),
    base64: bytes.toString('base64'),
    printable: inspect(bytes.toString('latin1'), { maxStringLength: LONGEST_MESSAGE }),
  };
}

/** Numbers and names of the input make no new fault of an old one. */
export function faultOf({ kind, message }: Finding): string {
  const place = /\n\s+at .*/.exec(message)?.[0] ?? '';
  const words = message.split('\n', 1)[0]?.replaceAll(/"[^"]*"|\d+/g, '_');
  return `${kind} ${words}${place}`;
}

/** Writes it into the folder and says where. */
export function writeFinding(folder: string, file: FindingFile): string {
  mkdirSync(folder, { recursive: true });
  const name = createHash('sha256').update(file.base64).digest('hex').slice(0, 12);
  const path = join(folder, `${file.kind}-${name}.json`);
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
  return path;
}
