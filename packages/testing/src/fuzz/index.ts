// Apart from the package's index.ts: a target must not load what the tests need.
export { insist } from './fuzz-target.ts';
export type { FuzzTarget, FuzzTargetModule } from './fuzz-target.ts';
export type { Finding } from './finding.ts';
export type { FuzzReport } from './fuzz-loop.ts';
export { runFuzz } from './run-fuzz.ts';
export type { FuzzOptions, FuzzResult } from './run-fuzz.ts';
