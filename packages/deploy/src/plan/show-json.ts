// What `tofu show -json` prints of a plan: https://opentofu.org/docs/internals/json-format/
import { FlywheelError } from '@flywheel/base';
import { z } from 'zod';

/** `true` at what is sensitive (or unknown), in the shape of the value. */
export type Marks = boolean | readonly Marks[] | { readonly [key: string]: Marks };

export const marks: z.ZodType<Marks> = z.lazy(() =>
  z.union([z.boolean(), z.array(marks), z.record(z.string(), marks)]),
);

const change = z.object({
  actions: z.array(z.string()),
  // Missing where it is unknown.
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  after_unknown: marks.default(false),
  before_sensitive: marks.default(false),
  after_sensitive: marks.default(false),
});

const resourceChange = z.object({
  address: z.string(),
  mode: z.string(),
  type: z.string(),
  change,
});

const module = z.object({
  resources: z.array(z.unknown()).default([]),
  child_modules: z.array(z.unknown()).default([]),
});

const planDocument = z.object({
  /** What the plan was made over; without values where that was an empty state. */
  prior_state: z
    .object({ values: z.object({ root_module: module.optional() }).optional() })
    .optional(),
  resource_changes: z.array(resourceChange).default([]),
  resource_drift: z.array(resourceChange).default([]),
  output_changes: z.record(z.string(), change).default({}),
});

export type RawChange = z.infer<typeof change>;
export type RawResourceChange = z.infer<typeof resourceChange>;
export type PlanDocument = z.infer<typeof planDocument>;

export function parsePlanDocument(value: unknown): PlanDocument {
  const read = planDocument.safeParse(value);
  if (read.success) return read.data;
  throw new FlywheelError('unsupported', 'this OpenTofu describes plans in another format', {
    cause: read.error,
    details: { hint: z.prettifyError(read.error) },
  });
}
