/**
 * Works on items, `jobs` at a time. `next` is asked whenever a place is free; when it has nothing,
 * it is asked again after each item that ends, until nothing is left running. An error of `work`
 * stops the taking of further items; it is thrown when those under way have ended.
 */
export async function runJobs<T>(
  jobs: number,
  next: () => T | undefined,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const errors: unknown[] = [];
  for (;;) {
    while (running.size < jobs && errors.length === 0) {
      const item = next();
      if (item === undefined) break;
      const job: Promise<void> = work(item)
        .catch((error: unknown) => void errors.push(error))
        .finally(() => running.delete(job));
      running.add(job);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (errors.length > 0) throw errors[0];
}
