import { z } from 'zod';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';

const LARGEST_PAGE = 1000;

/** Parameters that lists share. */
export const PageSize = z.coerce.number().int().min(1).max(LARGEST_PAGE).default(100);
/** ISO 8601, or milliseconds since the epoch. */
export const Time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date(), z.string().regex(/^\d{1,15}$/)])
  .transform((text) => (/^\d{5,}$/.test(text) ? Number(text) : Date.parse(text)));
/** What comes out of no name that we take in; a NUL is more than PostgreSQL can bear. */
export const Name = z
  .string()
  .min(1)
  .max(1024)
  .refine((text) => !text.includes('\0'));

/** The parameters of the URL in this shape. Throws 400 that names the one that is wrong. */
export function queryOf<T>(c: ApiContext, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(c.query());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wireError('RequestError', `${issue?.path.join('.') ?? 'query'}: ${issue?.message}`);
}
