import type { Kysely, SelectQueryBuilder } from 'kysely';
import type { Schema } from './schema.ts';

/** Locks the rows of a query in its order. They are counted there, because nobody wants to see them. */
export async function lockRows<T extends keyof Schema, Row>(
  tx: Kysely<Schema>,
  rows: SelectQueryBuilder<Schema, T, Row>,
): Promise<void> {
  await tx
    .selectFrom(rows.as('locked'))
    .select((eb) => eb.fn.countAll().as('count'))
    .execute();
}
