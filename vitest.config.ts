import { defineConfig } from 'vitest/config';
import { SUITES } from './packages/testing/src/suites.ts';

const MINUTE_MS = 60_000;

// One project a suite. Where files may share a worker (no isolation), modules hold no global state.
export default defineConfig({
  test: {
    projects: SUITES.map(({ name, include, serial }) => ({
      test: {
        name,
        include: [...include],
        ...(serial
          ? {
              pool: 'forks' as const,
              fileParallelism: false,
              testTimeout: 5 * MINUTE_MS,
              // Engines that are built from source the first time.
              hookTimeout: 30 * MINUTE_MS,
            }
          : {
              pool: 'threads' as const,
              isolate: false,
              // Some start a process of their own, which a busy machine makes slow.
              testTimeout: MINUTE_MS,
            }),
      },
    })),
  },
});
