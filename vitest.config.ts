import { defineConfig } from 'vitest/config';

// One process, threads, no isolation: modules hold no global state, so files can share a worker.
export default defineConfig({
  test: { pool: 'threads', isolate: false, include: ['packages/*/src/**/*.test.ts'] },
});
