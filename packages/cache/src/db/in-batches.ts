/**
 * Calls `remove`, which removes up to `limit` rows in one short statement and says how many, until
 * none is left.
 */
export async function inBatches(
  limit: number,
  remove: (limit: number) => Promise<number>,
): Promise<void> {
  while ((await remove(limit)) === limit);
}
