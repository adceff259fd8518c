import { FlywheelError, messageOf } from '@flywheel/base';
import { parseContentAddress } from './content-address.ts';
import { parseHash, parseSha256 } from './hash.ts';
import type { NarInfo } from './nar-info.ts';
import { baseNameProblem, parseStorePath } from './store-path.ts';

interface Field {
  readonly line: number;
  readonly value: string;
}

/**
 * Reads a narinfo as strictly as Nix does, and where Nix would let the later of two equal fields
 * win, refuses: two readers could disagree on what was signed. Unknown keys are ignored; a missing
 * `Compression` means bzip2. Throws `invalid-input` with the line and key.
 */
export function parseNarInfo(text: string): NarInfo {
  const { fields, sigs } = readLines(text);
  const fileHash = optional(fields, 'FileHash', checked(parseHash));
  const fileSize = optional(fields, 'FileSize', parseSize);
  const deriver = optional(fields, 'Deriver', parseDeriver);
  const system = optional(fields, 'System', (value) => value);
  const ca = optional(fields, 'CA', (value) =>
    // An empty one is none, as for Nix.
    value === '' ? undefined : checked(parseContentAddress)(value),
  );
  return {
    storePath: required(fields, 'StorePath', checked(parseStorePath)),
    url: required(fields, 'URL', nonEmpty),
    compression: optional(fields, 'Compression', (value) => value) || 'bzip2',
    ...(fileHash === undefined ? {} : { fileHash }),
    ...(fileSize === undefined ? {} : { fileSize }),
    narHash: required(fields, 'NarHash', parseSha256),
    narSize: required(fields, 'NarSize', parseNarSize),
    references: optional(fields, 'References', parseReferences) ?? [],
    ...(deriver === undefined ? {} : { deriver }),
    ...(system === undefined ? {} : { system }),
    sigs,
    ...(ca === undefined ? {} : { ca }),
  };
}

function readLines(text: string): {
  readonly fields: ReadonlyMap<string, Field>;
  readonly sigs: readonly string[];
} {
  const fields = new Map<string, Field>();
  const sigs: string[] = [];
  const lines = text.split('\n');
  if (lines.pop() !== '') throw malformed(lines.length + 1, 'the last line has no line break');
  for (const [index, line] of lines.entries()) {
    const number = index + 1;
    // Nix skips two characters after the key whatever they are; here they have to be there.
    const colon = line.indexOf(': ');
    if (colon < 1) throw malformed(number, 'it is not of the form "Key: value"');
    // Values are kept and written again, where neither could stand: no narinfo would come out.
    if (/[\r\0]/.test(line)) throw malformed(number, 'it has a carriage return or a NUL byte');
    const key = line.slice(0, colon);
    const value = line.slice(colon + 2);
    const earlier = fields.get(key);
    if (key === 'Sig') sigs.push(value);
    else if (earlier === undefined) fields.set(key, { line: number, value });
    else throw malformed(number, `${key} was already given on line ${earlier.line}`);
  }
  return { fields, sigs };
}

function optional<T>(
  fields: ReadonlyMap<string, Field>,
  key: string,
  parse: (value: string) => T,
): T | undefined {
  const field = fields.get(key);
  if (field === undefined) return undefined;
  try {
    return parse(field.value);
  } catch (error) {
    throw malformed(field.line, `${key}: ${messageOf(error)}`, error);
  }
}

function required<T>(
  fields: ReadonlyMap<string, Field>,
  key: string,
  parse: (value: string) => T,
): T {
  if (!fields.has(key)) throw new FlywheelError('invalid-input', `narinfo: ${key} is missing`);
  return optional(fields, key, parse) as T;
}

/** For what is kept as the text it was: only whether it parses matters. */
function checked(parse: (text: string) => unknown): (text: string) => string {
  return (text) => {
    parse(text);
    return text;
  };
}

function nonEmpty(value: string): string {
  if (value === '') throw new FlywheelError('invalid-input', 'it is empty');
  return value;
}

function parseSize(value: string): number {
  const size = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(size)) {
    throw new FlywheelError('invalid-input', `${JSON.stringify(value)} is not a number of bytes`);
  }
  return size;
}

function parseNarSize(value: string): number {
  const size = parseSize(value);
  if (size === 0) throw new FlywheelError('invalid-input', 'no NAR is empty');
  return size;
}

function parseReferences(value: string): readonly string[] {
  return value
    .split(' ')
    .filter((baseName) => baseName !== '')
    .map(parseBaseName);
}

function parseDeriver(value: string): string | undefined {
  return value === 'unknown-deriver' ? undefined : parseBaseName(value);
}

function parseBaseName(baseName: string): string {
  const problem = baseNameProblem(baseName);
  if (problem === undefined) return baseName;
  throw new FlywheelError('invalid-input', `${JSON.stringify(baseName)}: ${problem}`);
}

function malformed(line: number, why: string, cause?: unknown): FlywheelError {
  return new FlywheelError('invalid-input', `narinfo line ${line}: ${why}`, { cause });
}
