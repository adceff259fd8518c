// What can be set, read from the schema: for the reference, for explaining keys, and for guessing
// which key was meant.
import { z } from 'zod';
import type { MergeKeyOf, Path } from './layers/index.ts';
import { organizationSchema } from './schema/organization.ts';

/** The part of JSON Schema that zod writes for ours. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  /** Ours: the field by which layers merge the items of a list. */
  readonly mergeKey?: string;
}

let schema: JsonSchema | undefined;

/** The schema of one merged file, as JSON Schema. */
export function jsonSchema(): JsonSchema {
  schema ??= z.toJSONSchema(organizationSchema, { io: 'input' }) as JsonSchema;
  return schema;
}

/** What is known of the key at `path`; undefined when there is no such key. */
export function settingAt(path: Path): JsonSchema | undefined {
  let found: JsonSchema | undefined = jsonSchema();
  for (const step of withoutOverrides(path)) {
    const next: JsonSchema | undefined =
      typeof step === 'number' ? found.items : found.properties?.[step] ?? valueSchema(found);
    if (next === undefined) return undefined;
    found = next;
  }
  return found;
}

/** The keys that a map at `path` may have; undefined where they are free, or it is no map. */
export function keysAt(path: Path): readonly string[] | undefined {
  const properties = settingAt(path)?.properties;
  return properties === undefined ? undefined : Object.keys(properties);
}

/** By which field the items of the list at `path` are told apart. */
export const mergeKeyOf: MergeKeyOf = (path) =>
  settingAt(path.map((step) => (step === '*' ? 0 : step)))?.mergeKey;

/** All keys that a person may write, parents first; `*` stands for names and for items of lists. */
export function* allSettings(
  below: JsonSchema = jsonSchema(),
  path: readonly string[] = [],
): Generator<{ readonly path: readonly string[]; readonly setting: JsonSchema; readonly required: boolean }> {
  const children: [string, JsonSchema][] = Object.entries(below.properties ?? {});
  const inner = valueSchema(below) ?? below.items;
  if (inner?.properties !== undefined) yield* allSettings(inner, [...path, '*']);
  for (const [key, setting] of children) {
    const required = below.required?.includes(key) ?? false;
    yield { path: [...path, key], setting, required };
    yield* allSettings(setting, [...path, key]);
  }
}

/** What kind of value a key takes, for people: `whole number`, `DNS label`, `map of texts`. */
export function typeOf(setting: JsonSchema): string {
  const { title, type, items, const: only } = setting;
  if (only !== undefined) return JSON.stringify(only);
  if (setting.enum !== undefined) return setting.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (title !== undefined) return title;
  if (type === 'array' && items !== undefined) return `list of ${items.properties ? 'maps' : typeOf(items)}`;
  const values = valueSchema(setting);
  if (values !== undefined) return values.properties ? 'map by name' : `map of ${typeOf(values)}`;
  switch (type) {
    case 'integer':
      return 'whole number';
    case 'boolean':
      return '`true`, `false`';
    case 'object':
      return 'map';
    case 'string':
      return 'text';
    default:
      return 'anything';
  }
}

function valueSchema({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  return additionalProperties === false ? undefined : additionalProperties;
}

/** `environments.NAME.overrides` has the keys of the file itself. */
function withoutOverrides(path: Path): Path {
  const overridden = path[0] === 'environments' && path[2] === 'overrides' && path.length > 3;
  return overridden ? path.slice(3) : path;
}
