import { isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import type { Alias, Document, Scalar, YAMLError, YAMLMap, YAMLSeq } from 'yaml';
import type { Issue } from '../issue.ts';
import type { Entry, MapNode, Node, Path } from '../layers/node.ts';
import type { Origin, Source } from '../source.ts';
import { readMarks } from './marks.ts';
import { describeYamlError } from './yaml-error.ts';

/** Far above any organization; below what a bomb of aliases or a wrong file would take. */
const MAX_CHARACTERS = 1_000_000;
const MAX_NODES = 20_000;
const MAX_DEPTH = 40;

const TOO_DEEP = 'the file nests too deeply';

export interface ReadYaml {
  /** Missing when the text is no map of keys. */
  readonly root?: MapNode;
  readonly issues: readonly Issue[];
}

/** Reads one document of YAML 1.2. All mistakes of the syntax are issues, at their places. */
export function readYaml(source: Source): ReadYaml {
  const whole: Origin = { source, start: 0, end: 0 };
  if (source.text.length > MAX_CHARACTERS) {
    return failed(whole, `the file has more than ${MAX_CHARACTERS / 1_000_000} MB`);
  }
  let document: Document.Parsed;
  try {
    document = parseDocument(source.text, {
      prettyErrors: false,
      stringKeys: true,
      logLevel: 'error',
    });
  } catch (error) {
    // The parser calls itself for each level: thousands of them are more than the stack holds. In
    // some places it makes an error of its own of that.
    if (error instanceof RangeError) return failed(whole, TOO_DEEP);
    throw error;
  }
  const problems = [...document.errors, ...document.warnings];
  if (problems.some(({ message }) => /call stack/i.test(message))) return failed(whole, TOO_DEEP);
  if (problems.length > 0) return { issues: firstAtEachPlace(problems, source) };
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return failed(whole, 'the file is empty', 'Begin with a copy of an example in config/.');
  }
  const reader = new Reader(source);
  const root = reader.read(contents, [], 0);
  if (root?.kind !== 'map') {
    return reader.issues.length > 0
      ? { issues: reader.issues }
      : failed(whole, 'the file holds no keys');
  }
  const marked = readMarks(root);
  return { root: marked.node, issues: [...reader.issues, ...marked.issues] };
}

function failed(origin: Origin, message: string, hint?: string): ReadYaml {
  return { issues: [{ message, origin, path: [], ...(hint === undefined ? {} : { hint }) }] };
}

/** After the first mistake at a place, the parser often finds others that are not there. */
function firstAtEachPlace(problems: readonly YAMLError[], source: Source): readonly Issue[] {
  const places = new Map<number, Issue>();
  for (const problem of problems) {
    const issue = describeYamlError(problem, source);
    if (!places.has(issue.origin.start)) places.set(issue.origin.start, issue);
  }
  return [...places.values()];
}

class Reader {
  readonly issues: Issue[] = [];
  readonly #source: Source;
  /** An alias stands for the last node before it that has its name. */
  readonly #anchors = new Map<string, unknown>();
  #nodes = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Undefined when there is an issue instead. */
  read(node: unknown, path: Path, depth: number): Node | undefined {
    this.#nodes += 1;
    const origin = this.#origin(node);
    if (this.#nodes > MAX_NODES || depth > MAX_DEPTH) {
      const what = depth > MAX_DEPTH ? `${MAX_DEPTH} levels` : `${MAX_NODES} values`;
      // Once: what follows has the same reason.
      if (!this.issues.some(({ message }) => message.startsWith('the file has more than'))) {
        const message = `the file has more than ${what}, counting what aliases stand for`;
        this.issues.push({ message, origin, path });
      }
      return undefined;
    }
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    if (isMap(node)) return this.#readMap(node, path, depth);
    if (isSeq(node)) return this.#readList(node, path, depth);
    if (isAlias(node)) return this.#readAlias(node, path, depth);
    if (isScalar(node)) return this.#readScalar(node, path);
    // A key without anything behind it.
    return { kind: 'scalar', value: null, origin };
  }

  #readMap(map: YAMLMap, path: Path, depth: number): MapNode {
    const entries = new Map<string, Entry>();
    for (const pair of map.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const name = String(pair.key.value);
      const key = this.#origin(pair.key);
      if (name === '<<') {
        const message = 'merge keys (<<) are not supported';
        const hint = 'Write an alias for the whole value, or use the layers of this file.';
        this.issues.push({ message, hint, origin: key, path });
        continue;
      }
      // JavaScript gives objects another meaning by it.
      if (name === '__proto__') {
        this.issues.push({ message: 'no key can be called __proto__', origin: key, path });
        continue;
      }
      const value = this.read(pair.value, [...path, name], depth + 1);
      if (value === undefined) continue;
      // An absent value has no place of its own: it is looked for where its key is.
      entries.set(name, { key, value: pair.value === null ? { ...value, origin: key } : value });
    }
    return { kind: 'map', entries, origin: this.#origin(map) };
  }

  #readList(list: YAMLSeq, path: Path, depth: number): Node {
    const items = list.items.flatMap((item, index) => {
      const read = this.read(item, [...path, index], depth + 1);
      return read === undefined ? [] : [read];
    });
    return { kind: 'list', items, origin: this.#origin(list) };
  }

  #readAlias(alias: Alias, path: Path, depth: number): Node | undefined {
    if (!this.#anchors.has(alias.source)) {
      const message = `no anchor before this alias is called &${alias.source}`;
      this.issues.push({ message, origin: this.#origin(alias), path });
      return undefined;
    }
    return this.read(this.#anchors.get(alias.source), path, depth + 1);
  }

  #readScalar(scalar: Scalar, path: Path): Node | undefined {
    const { value } = scalar;
    const origin = this.#origin(scalar);
    if (value === null || ['string', 'boolean', 'number'].includes(typeof value)) {
      return { kind: 'scalar', value: value as string | number | boolean | null, origin };
    }
    this.issues.push({ message: 'this is no text, number, true or false', origin, path });
    return undefined;
  }

  #origin(node: unknown): Origin {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return { source: this.#source, start: range?.[0] ?? 0, end: range?.[1] ?? 0 };
  }
}
