// What can be set, read from the schema: for the reference, for explaining keys, and for guessing
// which key was meant.
import { z } from 'zod';
import type { Path } from './layers/index.ts';
import { organizationSchema } from './schema/organization.ts';

/** The part of JSON Schema that zod writes for ours. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  /** Ours: the field by which layers merge the items of a list. */
  readonly mergeKey?: string;
}

let known: JsonSchema | undefined;

/** The schema of what all layers say together, as JSON Schema. */
export function jsonSchema(): JsonSchema {
  known ??= z.toJSONSchema(organizationSchema, { io: 'input', override: tidy }) as JsonSchema;
  return known;
}

function tidy({ jsonSchema: schema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (schema.title === 'quantity') schema.type = ['string', 'number'] as never;
  // The bounds of what JavaScript counts exactly say nothing about a key.
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  // Sections fill themselves: that is no value that somebody chose.
  if (schema.properties !== undefined) delete schema.default;
}

/** What is known of the key at `path`; undefined when there is no such key. */
export function settingAt(path: Path): JsonSchema | undefined {
  let found: JsonSchema | undefined = jsonSchema();
  for (const step of path) {
    const { properties, items }: JsonSchema = found;
    if (typeof step === 'number') found = items;
    else if (properties !== undefined && Object.hasOwn(properties, step)) found = properties[step];
    else found = valueSchema(found);
    if (found === undefined) return undefined;
  }
  return found;
}

/** The keys that a map at `path` may have; undefined where they are free, or it is no map. */
export function keysAt(path: Path): readonly string[] | undefined {
  const properties = settingAt(path)?.properties;
  return properties === undefined ? undefined : Object.keys(properties);
}

export interface Setting {
  /** `*` stands for a name that the organization chooses, `[]` for an item of a list. */
  readonly path: readonly string[];
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** All keys that a person may write, parents first. */
export function* allSettings(
  below: JsonSchema = jsonSchema(),
  path: readonly string[] = [],
): Generator<Setting> {
  const values = valueSchema(below);
  if (values !== undefined) yield* allSettings(values, [...path, '*']);
  if (below.items !== undefined) yield* allSettings(below.items, [...path, '[]']);
  for (const [key, schema] of Object.entries(below.properties ?? {})) {
    const required = below.required?.includes(key) ?? false;
    yield { path: [...path, key], schema, required };
    yield* allSettings(schema, [...path, key]);
  }
}

/** The first key of that name, wherever it is. */
export function settingNamed(name: string | number | undefined): readonly string[] | undefined {
  for (const { path } of allSettings()) if (path.at(-1) === name) return path;
  return undefined;
}

/** `cache.caches.NAME.upstreams[].url` */
export function formatSettingPath(path: readonly string[]): string {
  return path.join('.').replaceAll('*', 'NAME').replaceAll('.[]', '[]');
}

/** What kind of value a key takes, for people: `whole number`, `DNS label`, `map of texts`. */
export function typeOf(setting: JsonSchema): string {
  const { title, type, items, const: only } = setting;
  if (only !== undefined) return JSON.stringify(only);
  if (setting.enum !== undefined) {
    return setting.enum.map((value) => `\`${String(value)}\``).join(', ');
  }
  if (title !== undefined) return title;
  if (type === 'array' && items !== undefined) {
    return `list of ${items.properties ? 'maps' : typeOf(items)}`;
  }
  const values = valueSchema(setting);
  if (values !== undefined) return describeMap(values);
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

function describeMap(values: JsonSchema): string {
  if (values.properties !== undefined) return 'map by name';
  return values.type === undefined ? 'map' : `map of ${typeOf(values)}`;
}

function valueSchema({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  return additionalProperties === false ? undefined : additionalProperties;
}
