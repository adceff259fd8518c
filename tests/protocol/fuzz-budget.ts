const GIVEN = process.env['FLYWHEEL_FUZZ_SECONDS'];

/**
 * How long a test fuzzes, and from which seed. FLYWHEEL_FUZZ_SECONDS=600 goes on for that long, from
 * another seed each time.
 */
export function fuzzBudget(defaultSeconds: number): {
  readonly seconds: number;
  readonly seed: number;
  readonly timeoutMs: number;
} {
  const seconds = Number(GIVEN ?? defaultSeconds);
  const seed = GIVEN === undefined ? 20_261 : Date.now();
  return { seconds, seed, timeoutMs: (seconds + 60) * 1000 };
}
