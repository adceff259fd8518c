/** Who says a value, from the least to the most particular. */
export type Layer = 'upstream' | 'organization' | 'environment';

/** A configuration file as it was read. `file` is its name in messages. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly layer: Layer;
}

/** A piece of a source, by offsets into its text. */
export interface Origin {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** Where something begins; line and column count from 1, columns in UTF-16 units. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export function positionOf({ source: { file, text }, start }: Origin): Position {
  const before = text.slice(0, start);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { file, line: before.split('\n').length, column: start - lineStart + 1 };
}

/** `config/organization.yaml:12:3`, which editors and terminals make a link of. */
export function formatPosition({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}
