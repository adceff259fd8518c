import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toFlywheelError } from '@flywheel/base';
import type { MadePlan } from '../plan/make-plan.ts';
import { gitlabReport } from './gitlab.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';

/** Writes plans into a folder in all forms that a merge request knows; the paths come back. */
export async function writeReports(
  folder: string,
  plans: readonly MadePlan[],
): Promise<readonly string[]> {
  const files: readonly (readonly [string, string])[] = [
    ['plan.md', markdownReport(plans)],
    ['plan.json', `${JSON.stringify(plans, null, 2)}\n`],
    ['junit.xml', junitReport(plans)],
    ['gitlab.json', `${JSON.stringify(gitlabReport(plans))}\n`],
  ];
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of files) await writeFile(join(folder, name), text);
  } catch (error) {
    throw toFlywheelError(error, `write reports into ${folder}`);
  }
  return files.map(([name]) => join(folder, name));
}
