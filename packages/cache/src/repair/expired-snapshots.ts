const NEWEST = 3;
const DAYS = 7;

/**
 * The snapshots that may go: all but the newest three and the newest of each of the last seven days
 * that have any. A server that was started on an empty database by mistake does not push out the
 * good ones before somebody notices.
 */
export function expiredSnapshots(keys: readonly string[]): readonly string[] {
  const newestFirst = keys.toSorted().reverse();
  const kept = new Set(newestFirst.slice(0, NEWEST));
  const days = new Set<string>();
  for (const key of newestFirst) {
    const day = key.slice('snapshots/'.length, 'snapshots/YYYYMMDD'.length);
    if (days.has(day) || days.size === DAYS) continue;
    days.add(day);
    kept.add(key);
  }
  return newestFirst.filter((key) => !kept.has(key));
}
