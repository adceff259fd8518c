import type { Output, Progress } from '../output/index.ts';

/** The progress of work in several steps, one bar after the other. */
export interface ShownSteps extends Disposable {
  readonly report: (progress: { step: string; done: number; of: number }) => void;
  finish(): void;
}

export function showSteps(output: Output): ShownSteps {
  let shown: { readonly step: string; readonly bar: Progress; done: number } | undefined;
  return {
    report({ step, done, of }) {
      if (shown?.step !== step) {
        shown?.bar.finish();
        shown = { step, bar: output.step(step, { unit: 'items', total: of }), done: 0 };
      }
      shown.bar.setTotal(of);
      shown.bar.advance(done - shown.done);
      shown.done = done;
    },
    finish: () => shown?.bar.finish(),
    [Symbol.dispose]: () => shown?.bar[Symbol.dispose](),
  };
}
