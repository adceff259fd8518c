/** What a check needs to know of one Markdown file. Lines count from 1. */
export interface Markdown {
  readonly lines: readonly string[];
  readonly links: readonly { readonly line: number; readonly target: string }[];
  /** GitHub's anchors of the headings. */
  readonly anchors: ReadonlySet<string>;
  /** Each `./flywheel …` in code, as its words. */
  readonly commands: readonly { readonly line: number; readonly words: readonly string[] }[];
}

const LINK = /!?\[(?:[^\][]|\[[^\]]*\])*\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const REFERENCE = /^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/;
const HTML_LINK = /<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)="([^"\s]+)"/g;
const CODE_SPAN = /`([^`]+)`/g;
const COMMAND = /(?:^|[\s$(;&|])\.\/flywheel((?:\s+[^\s;&|)#<>]+)*)/g;

/** A line scanner, no parser: enough for links, headings and commands as these docs write them. */
export function readMarkdown(text: string): Markdown {
  const lines = text.split(/\r?\n/);
  const links: { line: number; target: string }[] = [];
  const commands: { line: number; words: readonly string[] }[] = [];
  const anchors = new Set<string>();
  let fence: string | undefined;
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const mark = /^\s*(`{3,}|~{3,})/.exec(raw)?.[1];
    if (fence === undefined && mark !== undefined) fence = mark;
    else if (fence !== undefined && mark !== undefined && mark.startsWith(fence)) fence = undefined;
    else if (fence !== undefined || /^(?: {4}|\t)/.test(raw)) {
      commands.push(...commandsIn(raw).map((words) => ({ line, words })));
    } else {
      for (const [, code = ''] of raw.matchAll(CODE_SPAN)) {
        commands.push(...commandsIn(code).map((words) => ({ line, words })));
      }
      links.push(...linksIn(raw.replace(CODE_SPAN, '')).map((target) => ({ line, target })));
      addAnchors(anchors, raw);
    }
  }
  return { lines, links, anchors, commands };
}

function linksIn(line: string): readonly string[] {
  const reference = REFERENCE.exec(line)?.[1];
  const found = [...line.matchAll(LINK), ...line.matchAll(HTML_LINK)].map((m) => m[1] ?? '');
  return reference === undefined ? found : [...found, reference];
}

function commandsIn(code: string): readonly (readonly string[])[] {
  return [...code.matchAll(COMMAND)].map(([, rest = '']) =>
    rest.trim().split(/\s+/).filter(Boolean),
  );
}

/** GitHub: lower case, punctuation dropped, spaces to hyphens, repeated headings numbered. */
function addAnchors(anchors: Set<string>, line: string): void {
  const explicit = /<a\s+(?:id|name)="([^"]+)"/.exec(line)?.[1];
  if (explicit !== undefined) anchors.add(explicit);
  const heading = /^\s{0,3}#{1,6}\s+(.+?)\s*#*\s*$/.exec(line)?.[1];
  if (heading === undefined) return;
  const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  const slug = plain.replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '').replaceAll(' ', '-');
  let anchor = slug;
  for (let repeat = 1; anchors.has(anchor); repeat += 1) anchor = `${slug}-${repeat}`;
  anchors.add(anchor);
}
