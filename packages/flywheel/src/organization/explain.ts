import { explainKey, formatPosition } from '@flywheel/organization';
import type { Explanation, Said } from '@flywheel/organization';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { Output } from '../output/index.ts';
import { readOrganization, validOrganization } from './read-organization.ts';
import type { ShowFlags } from './show.ts';

export async function runConfigExplain(
  context: CliContext,
  flags: ShowFlags,
  key: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const merged = validOrganization(await readOrganization(context, flags), flags.environment);
  const explanation = explainKey(merged, key);
  printExplanation(output, explanation);
  output.result(explanation);
}

function printExplanation(output: Output, explanation: Explanation): void {
  const { key, description, type, value, said, keys } = explanation;
  output.print(output.style('bold', key));
  if (description !== undefined) output.print(`${description}.`);
  output.print();
  const [last, ...before] = said;
  output.print(
    formatTable([
      ['Type', type.replaceAll('`', '')],
      // The parts of a section are its keys.
      ...(keys.length > 0 ? [] : [['Value', inline(value)]]),
      ...(explanation.default === undefined ? [] : [['Default', inline(explanation.default)]]),
      ['Set by', last === undefined ? 'nobody: it is the default' : sayer(last)],
      ...before.map((below) => ['Before', `${sayer(below)}${valueOf(below)}`]),
    ]),
  );
  if (keys.length === 0) return;
  output.print();
  output.print(formatTable(keys.map((below) => [below.key, below.description ?? ''])));
}

function sayer(said: Said): string {
  return `${said.layer}, ${formatPosition(said)}`;
}

function valueOf({ value }: Said): string {
  return value === undefined ? '' : `: ${inline(value)}`;
}

/** Text as it is, all else as YAML also reads it. */
function inline(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}
