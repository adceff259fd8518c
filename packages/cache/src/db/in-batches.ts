/**
 * Calls `remove`, which removes up to `limit` rows in one short statement and says how many, until
 * none is left. Answers how many it were in all.
 */
export async function inBatches(
  limit: number,
  remove: (limit: number) => Promise<number>,
): Promise<number> {
  for (let all = 0; ;) {
    const removed = await remove(limit);
    all += removed;
    if (removed < limit) return all;
  }
}
