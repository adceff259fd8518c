import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isMissing, outputOf, startTofu } from '@flywheel/testing';
import type { Tofu } from '@flywheel/testing';
import { examplesOf, MODULE_NAMES, MODULES } from './module-folders.ts';

const found = await startTofu(MODULES);

describe('OpenTofu', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else declare(found);
});

function declare(tofu: Tofu): void {
  afterAll(() => tofu[Symbol.asyncDispose]());

  test('the modules are formatted', async () => {
    const run = await tofu.run('.', ['fmt', '-check', '-diff', '-recursive']);
    expect(outputOf(run, 'tofu fmt')).toBe('');
  });

  test.each(MODULE_NAMES)('%s is valid, and its tests pass', async (module) => {
    outputOf(await tofu.run(module, ['init', '-backend=false']), 'tofu init');
    outputOf(await tofu.run(module, ['validate']), 'tofu validate');
    const tested = outputOf(await tofu.run(module, ['test']), 'tofu test');
    expect(tested).toMatch(/^Success! \d+ passed, 0 failed\.$/m);
  });
}

test.each(MODULE_NAMES)('each validation of %s has a test in which it fails', (module) => {
  const variables = readFileSync(join(MODULES, module, 'variables.tf'), 'utf8');
  const tests = globSync('tests/*.tftest.hcl', { cwd: join(MODULES, module) })
    .map((file) => readFileSync(join(MODULES, module, file), 'utf8'))
    .join('\n');
  const untested = [...variables.matchAll(/^variable "(\w+)" \{\n([\s\S]*?)^\}$/gm)].flatMap(
    ([, name = '', body = '']) => {
      const validations = body.split('  validation {').length - 1;
      const failing = tests.split(`expect_failures = [var.${name}]`).length - 1;
      return failing >= validations
        ? []
        : [`${name}: ${validations} validations, ${failing} tests`];
    },
  );
  expect(untested).toEqual([]);
});

test.each(MODULE_NAMES)('%s has examples', (module) => {
  expect(examplesOf(module)).not.toEqual([]);
});
