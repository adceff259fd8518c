import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { MODULES } from './module-folders.ts';

const METRICS = resolve(import.meta.dirname, '../../packages/cache/src/metrics');

function namesIn(root: string, pattern: string): ReadonlySet<string> {
  const texts = globSync(pattern, { cwd: root }).map((file) =>
    readFileSync(join(root, file), 'utf8'),
  );
  return new Set(texts.join('\n').match(/\bflywheel_cache_\w+/g) ?? []);
}

test('boards and alerts ask for metrics that the cache has', () => {
  const known = namesIn(METRICS, '*.ts');
  const asked = [...namesIn(MODULES, '**/*.{tf,json}')].map((name) => name.replace(/_bucket$/, ''));
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});
