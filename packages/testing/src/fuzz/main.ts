// The process that a target is fuzzed in: started by `runFuzz`, or by a person who has a finding:
//   node packages/testing/src/fuzz/main.ts replay .artifacts/fuzz/NAME/FINDING.json
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BlockCoverage } from './block-coverage.ts';
import { CurrentInput } from './current-input.ts';
import type { FindingFile } from './finding.ts';
import { fuzz, type FuzzLoopOptions } from './fuzz-loop.ts';
import type { FuzzTarget, FuzzTargetModule } from './fuzz-target.ts';
import { Trials } from './trials.ts';

export interface FuzzProcessOptions extends FuzzLoopOptions {
  /** The module of the target, from the checkout's root. */
  readonly target: string;
  /** See CurrentInput. */
  readonly currentInput: string;
}

const ROOT = resolve(import.meta.dirname, '../../../..');

async function openTarget(path: string): Promise<FuzzTarget> {
  const module = (await import(pathToFileURL(join(ROOT, path)).href)) as FuzzTargetModule;
  return module.openTarget();
}

async function run(options: FuzzProcessOptions): Promise<void> {
  const coverage = new BlockCoverage();
  const target = await openTarget(options.target);
  const longest = Math.max(target.maxBytes ?? 4096, ...target.seeds.map(({ length }) => length));
  const current = new CurrentInput(options.currentInput, longest);
  const trials = new Trials(target, (input) => current.set(input));
  coverage.begin(target.covers.map((path) => pathToFileURL(join(ROOT, path)).href));
  const report = await fuzz(target, coverage, trials, options);
  await target.close?.();
  current.close();
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

async function replay(path: string): Promise<void> {
  const file = JSON.parse(readFileSync(path, 'utf8')) as FindingFile;
  const target = await openTarget(file.target);
  const trials = new Trials(target, () => {});
  await trials.run([Buffer.from(file.base64, 'base64')]);
  await target.close?.();
  process.stdout.write(`${file.printable}\n${trials.findings[0]?.message ?? 'no finding'}\n`);
  process.exitCode = trials.findings.length === 0 ? 0 : 1;
}

const [, , command, argument = ''] = process.argv;
if (command === 'replay') await replay(argument);
else await run(JSON.parse(argument) as FuzzProcessOptions);
