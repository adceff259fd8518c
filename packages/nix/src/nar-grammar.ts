import { narStrings } from './nar-format.ts';

/**
 * Between names, targets and file contents a NAR is fixed text, so a reader needs no tokens: at
 * each such place one of a few byte sequences follows. Each ends where something variable begins,
 * or where a folder or the whole NAR ends.
 */
export interface NarPhrase {
  readonly bytes: Buffer;
  readonly tokens: readonly string[];
  readonly meaning: NarMeaning;
}

/** What may follow at one place, the likeliest first: a reader tries them in this order. */
export type NarPhrases = readonly [NarPhrase, ...NarPhrase[]];

export type NarMeaning =
  | 'regular' // the length of its contents follows
  | 'executable' // likewise
  | 'symlink' // its target follows
  | 'directory' // the name of its first entry follows
  | 'empty-directory'
  | 'next-entry' // its name follows
  | 'end-of-directory'
  | 'end';

/** At the very beginning. */
export const AT_START = nodePhrases('nix-archive-1');

/** After the name of an entry. */
export const AFTER_NAME = nodePhrases('node');

/** After the contents of a file or the target of a symlink in a folder. */
export const AFTER_LEAF = entryPhrases(')', ')');

/** After the end of a folder in a folder. */
export const AFTER_DIRECTORY = entryPhrases(')');

/** After a root that is a file or a symlink. */
export const AFTER_ROOT_LEAF: NarPhrases = [phrase('end', ')')];

function nodePhrases(...before: readonly string[]): NarPhrases {
  const node = [...before, '(', 'type'];
  return [
    phrase('regular', ...node, 'regular', 'contents'),
    phrase('executable', ...node, 'regular', 'executable', '', 'contents'),
    phrase('directory', ...node, 'directory', 'entry', '(', 'name'),
    phrase('symlink', ...node, 'symlink', 'target'),
    phrase('empty-directory', ...node, 'directory', ')'),
  ];
}

function entryPhrases(...before: readonly string[]): NarPhrases {
  return [
    phrase('next-entry', ...before, 'entry', '(', 'name'),
    phrase('end-of-directory', ...before, ')'),
  ];
}

function phrase(meaning: NarMeaning, ...tokens: readonly string[]): NarPhrase {
  return { bytes: narStrings(...tokens), tokens, meaning };
}

/**
 * Another phrase of these that begins like `current` up to `position` and goes on with `byte`, or
 * undefined.
 */
export function switchPhrase(
  phrases: NarPhrases,
  current: NarPhrase,
  position: number,
  byte: number,
): NarPhrase | undefined {
  return phrases.find(
    (other) => other.bytes[position] === byte && beginsLike(other, current, position),
  );
}

/** What could stand at `position` of `current`, for a message: `"regular" or "symlink"`. */
export function expectedTokens(phrases: NarPhrases, current: NarPhrase, position: number): string {
  const expected = phrases
    .filter((other) => beginsLike(other, current, position))
    .map((other) => JSON.stringify(tokenAt(other, position)));
  return [...new Set(expected)].join(' or ');
}

function beginsLike(other: NarPhrase, current: NarPhrase, length: number): boolean {
  if (other === current) return true;
  if (other.bytes.length <= length) return false;
  return other.bytes.compare(current.bytes, 0, length, 0, length) === 0;
}

function tokenAt(phrase: NarPhrase, position: number): string {
  let end = 0;
  for (const token of phrase.tokens) {
    end += narStrings(token).length;
    if (position < end) return token;
  }
  return '';
}
