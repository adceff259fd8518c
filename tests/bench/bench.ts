import { FlywheelError } from '@flywheel/base';
import { isMissing, startNginx } from '@flywheel/testing';
import type { Nginx, NginxOptions } from '@flywheel/testing';
import { transferAll } from './curl.ts';
import type { Transfer, TransferOptions } from './curl.ts';
import { costOf } from './process-cost.ts';
import type { ProcessCost } from './process-cost.ts';
import type { Report } from './report.ts';
import type { PreparedNar, Workload } from './workload.ts';

export const GIB = 1024 ** 3;
export const MIB = 1024 ** 2;
/** What the server may hold in memory at any moment of the whole workload, Node's own 60 MiB included. */
export const MAX_PEAK_MIB = 150;

/** What all parts of a benchmark share. */
export interface Bench {
  /** Scratch space, on the disk that the servers write to as well. */
  readonly folder: string;
  readonly workload: Workload;
  readonly report: Report;
}

/** One round of transfers: what it took, and what the server spent on it. */
export interface MeasuredTransfers extends ProcessCost {
  readonly seconds: number;
  readonly receivedBytes: number;
}

/** Does the transfers while it watches the server's process `pid`. */
export async function measureTransfers(
  pid: number,
  transfers: readonly Transfer[],
  options: TransferOptions,
): Promise<MeasuredTransfers> {
  const [result, cost] = await costOf(pid, () => transferAll(transfers, options));
  return { ...result, ...cost };
}

export async function launchNginx(options: NginxOptions): Promise<Nginx> {
  const nginx = await startNginx(options);
  if (isMissing(nginx)) throw new FlywheelError('unsupported', nginx.missing);
  return nginx;
}

export function narBytes(nars: readonly PreparedNar[]): number {
  return nars.reduce((sum, nar) => sum + nar.narSize, 0);
}

/** Three significant digits, for tables. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
