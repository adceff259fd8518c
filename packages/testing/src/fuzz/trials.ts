import { inspect } from 'node:util';
import { faultOf, findingOf, type Finding } from './finding.ts';
import { isRefusal, type FuzzTarget } from './fuzz-target.ts';

/** Far above what some KiB may take, and far above what a busy machine makes of that. */
const SLOW_MS = 1000;
const MOST_FINDINGS = 10;

/** Gives inputs to the target, counts them, and keeps what it does that it may not. */
export class Trials {
  readonly #target: FuzzTarget;
  readonly #onInput: (input: Uint8Array) => void;
  readonly #findings = new Map<string, Finding>();
  #executions = 0;

  /** `onInput` hears of each input before it is tried. */
  constructor(target: FuzzTarget, onInput: (input: Uint8Array) => void) {
    this.#target = target;
    this.#onInput = onInput;
  }

  get executions(): number {
    return this.#executions;
  }

  get findings(): readonly Finding[] {
    return [...this.#findings.values()];
  }

  async run(inputs: readonly Uint8Array[]): Promise<void> {
    for (const input of inputs) {
      const ms = await this.#attempt(input);
      // Twice: once may be the machine's fault.
      if (ms > SLOW_MS && (await this.#attempt(input)) > SLOW_MS) {
        this.#report(findingOf('slow', `took ${Math.round(ms)} ms`, input));
      }
    }
  }

  async #attempt(input: Uint8Array): Promise<number> {
    this.#executions += 1;
    this.#onInput(input);
    const begun = performance.now();
    try {
      const running = this.#target.run(input);
      // Most targets are synchronous, and waiting costs as much as they do.
      if (running !== undefined) await running;
    } catch (error) {
      if (!isRefusal(error)) this.#report(findingOf('error', inspect(error), input));
    }
    return performance.now() - begun;
  }

  #report(finding: Finding): void {
    const fault = faultOf(finding);
    if (this.#findings.size >= MOST_FINDINGS || this.#findings.has(fault)) return;
    this.#findings.set(fault, finding);
  }
}
