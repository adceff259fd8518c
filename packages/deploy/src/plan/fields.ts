// Values as flat lists of fields, so that two of them can be compared, without what is secret.
import type { Marks } from './show-json.ts';

export const SENSITIVE = '(sensitive value)';
export const UNKNOWN = '(known after apply)';

/** Names of fields whose text is a secret, whatever nobody has said of them. */
const SECRET_NAMES: readonly RegExp[] = [
  /(?:passw(?:or)?d|passphrase|private_?key|secret_?(?:access_?)?key|api_?key)$/i,
  /(?:^|[_.-])token$/i,
  /[a-z]Token$/,
];

export type Fields = ReadonlyMap<string, string>;

/** What is not shown of a value. */
export interface Hidden {
  readonly sensitive?: Marks;
  readonly unknown?: Marks;
  /** Texts that are marked elsewhere: OpenTofu forgets the mark of what a resource passes on. */
  readonly texts?: ReadonlySet<string>;
}

/** Each leaf by its path, as JSON, without what is hidden. */
export function flatten(value: unknown, hidden: Hidden = {}): Fields {
  const { sensitive = false, unknown = false, texts = new Set<string>() } = hidden;
  const fields = new Map<string, string>();
  visit(fields, '', value, { sensitive, unknown, texts, named: false });
  return fields;
}

/** All texts in a value that are marked as sensitive. */
export function* sensitiveTexts(value: unknown, marks: Marks): Generator<string> {
  if (marks === false || value === null || value === undefined) return;
  if (typeof value === 'string' && marks === true) yield value;
  if (typeof value !== 'object') return;
  for (const [key, inside] of Object.entries(value)) {
    yield* sensitiveTexts(inside, markAt(marks, key));
  }
}

interface Context extends Required<Hidden> {
  /** A name above has said that this is a secret. */
  readonly named: boolean;
}

function visit(fields: Map<string, string>, path: string, value: unknown, context: Context): void {
  const { sensitive, unknown } = context;
  if (unknown === true) return void fields.set(path, UNKNOWN);
  if (sensitive === true) return void fields.set(path, SENSITIVE);
  if (Array.isArray(value)) {
    const names = itemNames(value);
    for (const [index, item] of value.entries()) {
      const name = names?.[index] ?? String(index);
      visit(fields, `${path}[${name}]`, item, inner(context, index, name));
    }
    return;
  }
  if (typeof value === 'object' && value !== null) {
    const keys = new Set([...Object.keys(value), ...unknownKeys(unknown)]);
    for (const key of keys) {
      const below = (value as Readonly<Record<string, unknown>>)[key];
      visit(fields, path === '' ? key : `${path}.${key}`, below, inner(context, key, key));
    }
    return;
  }
  if (value === undefined || value === null) return;
  const isSecret =
    typeof value === 'string' && value !== '' && (context.named || context.texts.has(value));
  fields.set(path, isSecret ? SENSITIVE : JSON.stringify(value));
}

function inner(context: Context, key: string | number, name: string): Context {
  const { sensitive, unknown, texts, named } = context;
  return {
    sensitive: markAt(sensitive, key),
    unknown: markAt(unknown, key),
    texts,
    // An item `{ name: DB_PASSWORD, value: … }` says it of its value.
    named: SECRET_NAMES.some((pattern) => pattern.test(name)) || (named && name === 'value'),
  };
}

function markAt(marks: Marks, key: string | number): Marks {
  if (typeof marks === 'boolean') return marks;
  return (marks as Readonly<Record<string, Marks>>)[key] ?? false;
}

function unknownKeys(unknown: Marks): readonly string[] {
  return typeof unknown === 'boolean' || Array.isArray(unknown) ? [] : Object.keys(unknown);
}

/** Items of Kubernetes are known by their names: an index would shift with the first new one. */
function itemNames(items: readonly unknown[]): readonly string[] | undefined {
  const names = items.map((item) => (item as { readonly name?: unknown } | null)?.name);
  if (names.length === 0 || !names.every((name) => typeof name === 'string')) return undefined;
  return new Set(names).size === names.length ? names : undefined;
}

/** One field that is another afterwards. */
export interface FieldChange {
  readonly path: string;
  /** As JSON; missing when there was none. */
  readonly before?: string;
  readonly after?: string;
}

export function compareFields(before: Fields, after: Fields): readonly FieldChange[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return paths.flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is) return [];
    return [
      {
        path,
        ...(was === undefined ? {} : { before: was }),
        ...(is === undefined ? {} : { after: is }),
      },
    ];
  });
}
