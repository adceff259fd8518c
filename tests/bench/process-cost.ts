import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export interface ProcessCost {
  readonly cpuSeconds: number;
  /** The largest resident memory meanwhile. */
  readonly peakBytes: number;
}

/** What a process (all its threads, no children) spends while `work` runs. Linux only. */
export async function costOf<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<[result: T, cost: ProcessCost]> {
  // proc(5): writing 5 to clear_refs sets the peak back to the present size.
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  const before = await cpuSeconds(pid);
  const result = await work();
  const spent = (await cpuSeconds(pid)) - before;
  return [result, { cpuSeconds: spent, peakBytes: await peakBytes(pid) }];
}

async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The program's name, in parentheses, may hold spaces; utime and stime are fields 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function peakBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}
