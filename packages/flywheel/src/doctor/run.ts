import type { CliContext } from '../context.ts';
import { dataDirectory } from '../data-directory.ts';
import { EXIT_FAILED } from '../exit.ts';
import type { EnvironmentFlags } from '../organization/one-environment.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import type { Finding } from './check.ts';
import { checkCluster } from './cluster/run.ts';
import { checkDataDirectory } from './data-directory.ts';
import { checkGit } from './git.ts';
import { checkInstallation } from './installation.ts';
import { checkListenPort } from './listen-port.ts';
import { checkNix } from './nix.ts';
import { checkNode } from './node-version.ts';

export interface DoctorFlags extends OutputFlags, EnvironmentFlags {
  readonly cluster?: boolean;
  readonly data?: string;
  readonly port: number;
}

export async function runDoctor(context: CliContext, flags: DoctorFlags): Promise<void> {
  const output = createOutput(context, flags);
  const all =
    flags.cluster === true
      ? await checkCluster(context, flags)
      : await checkMachine(context, flags);
  const failed = all.filter(({ status }) => status === 'failed').length;
  for (const finding of all) printFinding(output, finding);
  output.print();
  output.print(
    failed === 0 ? 'Everything needed is there.' : `${failed} of ${all.length} checks failed.`,
  );
  output.result({ ok: failed === 0, checks: all });
  if (failed > 0) context.process.exitCode = EXIT_FAILED;
}

async function checkMachine(context: CliContext, flags: DoctorFlags): Promise<readonly Finding[]> {
  const findings = await Promise.all([
    checkNode(context, process.versions.node),
    checkInstallation(context),
    checkDataDirectory(dataDirectory(context, flags.data)),
    checkListenPort(flags.port),
    checkNix(context, flags.port),
    checkGit(context),
  ]);
  return findings.flat();
}

const MARKS = { ok: ['green', '✔'], failed: ['red', '✘'], absent: ['dim', '–'] } as const;

export function printFinding(output: Output, { name, status, summary, remedy }: Finding): void {
  const [colour, mark] = MARKS[status];
  output.print(`${output.style(colour, mark)} ${name}: ${summary}`);
  for (const line of remedy?.split('\n') ?? []) output.print(`    ${line}`);
}
