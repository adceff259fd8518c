// What runs the suites; kept apart from index.ts, which the tests themselves import.
export { runSuite } from './run-suite.ts';
export type { RunOptions } from './run-suite.ts';
export { closingLine, writeSuiteResult } from './suite-result.ts';
export type { SuiteResult } from './suite-result.ts';
export { existingSuites, SUITES } from './suites.ts';
export type { Suite } from './suites.ts';
