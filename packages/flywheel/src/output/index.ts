export { createOutput, outputFlags } from './output.ts';
export type { Output, OutputFlags } from './output.ts';
export type { Progress } from './progress.ts';
export { formatTable } from './table.ts';
