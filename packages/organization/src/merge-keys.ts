// Which lists are merged item by item, asked of the schema itself: making a JSON Schema of all of it
// first would take as long as everything else that `config validate` does.
import { z } from 'zod';
import type { MergeKeyOf } from './layers/index.ts';
import { organizationSchema } from './schema/organization.ts';

/** By which field the items of the list at `path` are told apart. */
export const mergeKeyOf: MergeKeyOf = (path) => {
  let found: z.core.$ZodType | undefined = organizationSchema;
  for (const step of path) {
    const schema: z.core.$ZodType | undefined = found && withoutDefault(found);
    if (schema instanceof z.ZodObject) {
      const shape = schema.shape as z.core.$ZodShape;
      found = Object.hasOwn(shape, step) ? shape[step] : undefined;
    } else if (schema instanceof z.ZodRecord) found = schema.valueType;
    else if (schema instanceof z.ZodArray) found = schema.element;
    else return undefined;
  }
  const list = found && withoutDefault(found);
  const key = list && z.globalRegistry.get(list)?.['mergeKey'];
  return typeof key === 'string' ? key : undefined;
};

function withoutDefault(schema: z.core.$ZodType): z.core.$ZodType {
  const wrapped =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional;
  return wrapped ? withoutDefault(schema.unwrap()) : schema;
}
