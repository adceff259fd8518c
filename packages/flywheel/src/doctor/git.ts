import type { CliContext } from '../context.ts';
import type { Finding } from './check.ts';
import { outputOf } from './command.ts';

export async function checkGit(context: CliContext): Promise<Finding> {
  const name = 'git';
  const version = await outputOf(context, 'git', ['--version']);
  if (version !== undefined) return { name, status: 'ok', summary: version.trim() };
  return {
    name,
    status: 'absent',
    summary: 'not installed',
    remedy: 'Needed to update this checkout (Debian: apt-get install git).',
  };
}
