import type { OnTransfer } from '@flywheel/client';
import type { Output, Progress } from '../output/index.ts';

/** Shows a push or a pull as one step with a bar. Dispose of it: an error ends it too. */
export function showTransfer(
  output: Output,
  label: string,
): { readonly onProgress: OnTransfer; readonly progress: Progress; [Symbol.dispose](): void } {
  const progress = output.step(label);
  return {
    progress,
    onProgress(event) {
      if (event.kind === 'planned') progress.setTotal(event.bytes);
      else if (event.kind === 'bytes') progress.advance(event.bytes);
    },
    [Symbol.dispose]: () => progress[Symbol.dispose](),
  };
}
