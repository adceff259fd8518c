import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Everything that starts our Node. V8 takes what is compiled beforehand only under the same flags. */
const STARTERS = {
  flywheel: 1,
  'build/images/Containerfile': 2,
  'packages/flywheel/src/wheel/pack.ts': 1,
  'scripts/image-tree.ts': 1,
};

test('all that start Node do it with the flags of the launcher', () => {
  const launcher = flagsIn('flywheel');
  expect(launcher).toHaveLength(1);
  for (const [file, times] of Object.entries(STARTERS)) {
    expect({ [file]: flagsIn(file) }).toEqual({ [file]: Array(times).fill(launcher[0]) });
  }
});

/** Written for a shell, or as a list in JSON. */
function flagsIn(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8').replaceAll('", "', ' ').replaceAll('"', ' ');
  return [...text.matchAll(/--max-semi-space-size=\d+(?: --[a-z-]+(?:=\S+)?)*/g)].map(String);
}
