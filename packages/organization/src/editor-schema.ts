// The JSON Schema for editors, config/organization.schema.json. It describes a file before its
// layers are merged, where validation looks at them together.
import { SAME_EVERYWHERE } from './layers/index.ts';
import { jsonSchema } from './settings.ts';
import type { JsonSchema } from './settings.ts';

/** What upstream.yaml has a say in: nothing there is required of the organization. */
const FROM_UPSTREAM: readonly string[] = ['runners', 'images'];

const OVERRIDES: JsonSchema = { $ref: '#/$defs/overrides' };
const DELETE: JsonSchema = { $ref: '#/$defs/delete' };
const MARK = '^\\$(delete|replace)$';

/** The schema as text, the same for the same version of flywheel. */
export function formatEditorSchema(): string {
  const root = jsonSchema();
  const properties = Object.entries(root.properties ?? {}).map(([name, section]) => [
    name,
    FROM_UPSTREAM.includes(name) ? partial(section) : whole(section),
  ]);
  const overridable = Object.entries(root.properties ?? {}).filter(
    ([name]) => !SAME_EVERYWHERE.includes(name),
  );
  const { required: _, ...rest } = root;
  const schema = {
    ...rest,
    title: 'organization.yaml of Glorious Flywheel',
    properties: Object.fromEntries(properties),
    required: ['apiVersion', 'organization', 'gitlab', 'environments', 'images'],
    $defs: {
      overrides: partial({
        type: 'object',
        properties: Object.fromEntries(overridable),
        additionalProperties: false,
      }),
      delete: {
        type: 'object',
        properties: { $delete: { const: true } },
        required: ['$delete'],
        additionalProperties: false,
      },
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** As it is, but for the overrides of environments, which are another layer. */
function whole(schema: JsonSchema): JsonSchema {
  return transform(schema, whole);
}

/** Nothing is required, and everything can be deleted or replaced. */
function partial(schema: JsonSchema): JsonSchema {
  const { required: _, ...rest } = transform(schema, partial);
  if (rest.type !== 'object') {
    const { description, title, default: fallback, ...kind } = rest;
    const about = { description, title, default: fallback };
    return { ...defined(about), anyOf: [kind, DELETE] };
  }
  const { propertyNames } = rest;
  return {
    ...rest,
    patternProperties: { [MARK]: { const: true } },
    ...(propertyNames ? { propertyNames: { anyOf: [propertyNames, { pattern: MARK }] } } : {}),
  };
}

function transform(schema: JsonSchema, inner: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const { mergeKey: _, properties, items, additionalProperties, ...rest } = schema;
  const changed = Object.entries(properties ?? {}).map(([name, property]) => [
    name,
    name === 'overrides' ? { ...OVERRIDES, description: property.description } : inner(property),
  ]);
  return {
    ...rest,
    ...(properties ? { properties: Object.fromEntries(changed) } : {}),
    ...(items ? { items: inner(items) } : {}),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: additionalProperties && inner(additionalProperties) }),
  };
}

function defined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
