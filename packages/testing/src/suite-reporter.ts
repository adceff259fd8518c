import type { SerializedError } from 'vitest';
import { DefaultReporter } from 'vitest/node';
import type { TestCase, TestModule, TestSuite } from 'vitest/node';
import { describeTarget } from './figure.ts';
import type { Figure } from './figure.ts';
import type { SuiteResult } from './suite-result.ts';

/**
 * Vitest's progress and failures, without its summary: the runner ends with one closing line of
 * its own. `result` is there when the run is over.
 */
export class SuiteReporter extends DefaultReporter {
  readonly #suite: string;
  readonly #filtered: boolean;
  #result: SuiteResult | undefined;

  /** `filtered`: the caller chose some tests, so the others are skipped without a reason. */
  constructor(suite: string, filtered: boolean) {
    super();
    this.#suite = suite;
    this.#filtered = filtered;
  }

  get result(): SuiteResult | undefined {
    return this.#result;
  }

  override reportTestSummary(): void {}

  override onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly SerializedError[],
    reason: 'passed' | 'interrupted' | 'failed',
  ): void {
    super.onTestRunEnd(modules, unhandled, reason);
    const tally = new Tally(this.#filtered);
    for (const module of modules) tally.addModule(module);
    this.#result = { suite: this.#suite, ...tally.total(unhandled.length) };
    for (const line of tally.complaints) this.error(line);
    for (const line of figureLines(this.#result.figures)) this.log(line);
  }
}

class Tally {
  readonly #filtered: boolean;
  readonly #skipped: { name: string; why: string }[] = [];
  readonly #figures: Record<string, Figure> = {};
  readonly complaints: string[] = [];
  #passed = 0;
  #failed = 0;

  constructor(filtered: boolean) {
    this.#filtered = filtered;
  }

  /** `otherFailures`: errors that belong to no test. */
  total(otherFailures: number): Omit<SuiteResult, 'suite'> {
    return {
      passed: this.#passed,
      failed: this.#failed + this.complaints.length + otherFailures,
      skipped: this.#skipped,
      figures: this.#figures,
    };
  }

  addModule(module: TestModule): void {
    const broken = brokenSetups(module);
    this.#failed += broken.size;
    for (const test of module.children.allTests()) this.#addTest(test, broken);
  }

  #addTest(test: TestCase, broken: ReadonlySet<TestModule | TestSuite>): void {
    const { state, note } = { note: undefined, ...test.result() };
    Object.assign(this.#figures, test.meta().figures);
    if (state === 'passed') this.#passed += 1;
    else if (state === 'failed') this.#failed += 1;
    else if (hasBrokenSetup(test, broken)) this.#skip(test, 'its setup failed');
    else if (note !== undefined) this.#skip(test, note);
    else if (!this.#filtered) {
      // A skip that nobody explains is a hole that nobody sees.
      this.complaints.push(
        `✘ skipped without a reason (use context.skip('why')): ${test.fullName}`,
      );
    }
  }

  #skip(test: TestCase, why: string): void {
    this.#skipped.push({ name: `${test.module.relativeModuleId} > ${test.fullName}`, why });
  }
}

/** Files that do not load and hooks that throw: failures which no test shows. */
function brokenSetups(module: TestModule): ReadonlySet<TestModule | TestSuite> {
  return new Set([module, ...module.children.allSuites()].filter((s) => s.errors().length > 0));
}

function hasBrokenSetup(test: TestCase, broken: ReadonlySet<TestModule | TestSuite>): boolean {
  for (let parent: TestModule | TestSuite = test.parent; ; parent = parent.parent) {
    if (broken.has(parent)) return true;
    if (parent.type === 'module') return false;
  }
}

function* figureLines(figures: Readonly<Record<string, Figure>>): Generator<string> {
  for (const [name, { value, unit, target, ok }] of Object.entries(figures)) {
    const wanted = target === null ? '' : ` (target: ${describeTarget(target)})`;
    yield `${ok ? '✔' : '✘'} ${name}: ${Number(value.toPrecision(4))} ${unit}${wanted}`;
  }
}
