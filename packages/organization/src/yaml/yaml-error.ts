import type { ErrorCode, YAMLError } from 'yaml';
import type { Issue } from '../issue.ts';
import type { Source } from '../source.ts';

/** What the parser's codes mean to who wrote the file; its own words for the rare ones. */
const TEXTS: Readonly<Partial<Record<ErrorCode, readonly [message: string, hint?: string]>>> = {
  TAB_AS_INDENT: ['a tab indents this line', 'YAML is indented with spaces only.'],
  DUPLICATE_KEY: ['this key is there twice', 'Keep one of the two.'],
  MULTIPLE_DOCS: ['a second document begins here', 'Remove the line "---".'],
  BAD_INDENT: ['this line is indented like nothing above it, or a { or [ above is not closed'],
  NON_STRING_KEY: ['a key is a word, not a list or a map'],
  MULTILINE_IMPLICIT_KEY: ['this key has no colon behind it, or its text goes over several lines'],
  BLOCK_IN_FLOW: ['a block of lines within { } or [ ]'],
  TAG_RESOLVE_FAILED: ['this tag is not supported', 'Remove the word that begins with "!".'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a key: value pair within another on the same line',
    'Put text that contains ": " in quotes.',
  ],
};

export function describeYamlError(error: YAMLError, source: Source): Issue {
  const [start, end] = error.pos;
  const [message, hint] = TEXTS[error.code] ?? [lowerFirst(error.message)];
  return {
    message,
    ...(hint === undefined ? {} : { hint }),
    path: [],
    origin: { source, start: Math.min(start, source.text.length), end: Math.max(start, end) },
  };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
