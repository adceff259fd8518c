import { formatIssue, formatKeyPath, positionOf } from '@flywheel/organization';
import type { Issue } from '@flywheel/organization';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { countMistakes, readOrganization } from './read-organization.ts';
import type { FileFlags } from './read-organization.ts';

export async function runConfigValidate(
  context: CliContext,
  flags: OutputFlags & FileFlags,
): Promise<void> {
  const output = createOutput(context, flags);
  const { file, issues, environments } = await readOrganization(context, flags);
  for (const issue of issues) output.print(`${formatIssue(issue)}\n`);
  const names = [...environments.keys()].join(', ');
  output.print(
    issues.length === 0
      ? `${file} is valid. Environments: ${names}.`
      : `${file} has ${countMistakes(issues.length)}.`,
  );
  output.result({ valid: issues.length === 0, file, issues: issues.map(describeIssue) });
  if (issues.length > 0) context.process.exitCode = EXIT_FAILED;
}

function describeIssue({ origin, path, message, hint }: Issue): unknown {
  return { ...positionOf(origin), key: formatKeyPath(path), message, hint };
}
