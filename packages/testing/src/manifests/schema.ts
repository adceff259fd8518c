/** What OpenAPI 2 of Kubernetes and the schemas of its custom resources have in common. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

/** Resolves the `$ref` of a schema. */
export type Definitions = Readonly<Record<string, Schema>>;

/**
 * Everything in which `value` is not as the schema says, with the path to it. Unknown fields are
 * among that: an API server drops them without a word. Rules in CEL are not evaluated.
 */
export function schemaIssues(
  value: unknown,
  schema: Schema,
  definitions: Definitions = {},
  path = '',
): readonly string[] {
  const known = resolve(schema, definitions);
  const at = path === '' ? 'the object' : path;
  if (value === null || value === undefined) return [`${at} is null`];
  if (known['x-kubernetes-int-or-string'] === true || known.format === 'int-or-string') {
    return Number.isInteger(value) || typeof value === 'string'
      ? []
      : [`${at} is neither a whole number nor a string`];
  }
  switch (known.type) {
    case 'string':
      return stringIssues(value, known, at);
    case 'integer':
    case 'number':
      return numberIssues(value, known, at);
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${at} is no boolean`];
    case 'array':
      return arrayIssues(value, known, definitions, at);
    default:
      return objectIssues(value, known, definitions, path);
  }
}

function resolve(schema: Schema, definitions: Definitions): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.replace('#/definitions/', '');
  return definitions[name] ?? {};
}

function stringIssues(value: unknown, schema: Schema, at: string): readonly string[] {
  if (typeof value !== 'string') return [`${at} is no string`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [`${at} is "${value}", not one of ${schema.enum.join(', ')}`];
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) {
    return [`${at} is "${value}", which does not match ${schema.pattern}`];
  }
  if (value.length < (schema.minLength ?? 0)) return [`${at} is too short`];
  if (value.length > (schema.maxLength ?? Infinity)) return [`${at} is too long`];
  return [];
}

function numberIssues(value: unknown, schema: Schema, at: string): readonly string[] {
  if (typeof value !== 'number') return [`${at} is no number`];
  if (schema.type === 'integer' && !Number.isInteger(value)) return [`${at} is no whole number`];
  if (value < (schema.minimum ?? -Infinity)) return [`${at} is below ${schema.minimum}`];
  if (value > (schema.maximum ?? Infinity)) return [`${at} is above ${schema.maximum}`];
  return [];
}

function arrayIssues(
  value: unknown,
  schema: Schema,
  definitions: Definitions,
  at: string,
): readonly string[] {
  if (!Array.isArray(value)) return [`${at} is no list`];
  const { items, minItems = 0, maxItems = Infinity } = schema;
  const size =
    value.length < minItems || value.length > maxItems ? [`${at} has the wrong size`] : [];
  if (items === undefined) return size;
  return [
    ...size,
    ...value.flatMap((item: unknown, index) =>
      schemaIssues(item, items, definitions, `${at}[${index}]`),
    ),
  ];
}

function objectIssues(
  value: unknown,
  schema: Schema,
  definitions: Definitions,
  path: string,
): readonly string[] {
  const at = path === '' ? 'the object' : path;
  const { properties, additionalProperties, required = [] } = schema;
  // A schema that says nothing: raw JSON, or the name of a quantity.
  if (schema.type === undefined && properties === undefined) return [];
  if (typeof value !== 'object' || Array.isArray(value)) return [`${at} is no object`];
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const missing = required
    .filter((name) => !(name in (value as object)))
    .map((name) => `${below(name)} is missing`);
  const open =
    additionalProperties === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    (properties === undefined && additionalProperties === undefined);
  const rest = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return [
    ...missing,
    ...Object.entries(value as object).flatMap(([name, inner]) => {
      const own = properties?.[name] ?? rest;
      if (own !== undefined) return schemaIssues(inner, own, definitions, below(name));
      return open ? [] : [`${below(name)} is no known field`];
    }),
  ];
}
