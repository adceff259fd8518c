/** Runs two contestants in turn, `rounds` times, so that what else the machine does hits both. */
export async function alternate<A, B>(
  rounds: number,
  first: (round: number) => Promise<A>,
  second: (round: number) => Promise<B>,
): Promise<[A[], B[]]> {
  const results: [A[], B[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    results[0].push(await first(round));
    results[1].push(await second(round));
  }
  return results;
}

/** What decides a target is measured at most so often. */
const TRIES = 3;

/**
 * `alternate`, once more when the results miss what they should reach: a neighbour that wakes up in
 * the middle shifts even a ratio. A target is missed when it is missed three times in a row.
 */
export async function contest<A, B>(
  rounds: number,
  first: () => Promise<A>,
  second: () => Promise<B>,
  isMet: (first: readonly A[], second: readonly B[]) => boolean,
): Promise<[A[], B[]]> {
  for (let tries = 1; ; tries += 1) {
    const results = await alternate(rounds, first, second);
    if (tries === TRIES || isMet(...results)) return results;
  }
}

/** The middle of what `pick` says of each run; of an even number, the mean of the middle two. */
export function median<T>(runs: readonly T[], pick: (run: T) => number): number {
  const sorted = runs.map(pick).sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** The shortest: of short rounds, what else the machine does only ever makes one longer. */
export function fastest(runs: readonly { readonly seconds: number }[]): number {
  return Math.min(...runs.map(({ seconds }) => seconds));
}

export function largest<T>(runs: readonly T[], pick: (run: T) => number): number {
  return Math.max(...runs.map(pick));
}
