import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CliContext } from '../context.ts';
import type { Finding } from './check.ts';

/** pnpm keeps a copy of the lock file that it installed from: the two must be equal. */
export async function checkInstallation(context: CliContext): Promise<Finding> {
  const name = 'Installation';
  const wanted = await textOf(join(context.root, 'pnpm-lock.yaml'));
  const present = await textOf(join(context.root, 'node_modules', '.pnpm', 'lock.yaml'));
  if (wanted === undefined) {
    return {
      name,
      status: 'failed',
      summary: `no pnpm-lock.yaml in ${context.root}`,
      remedy: 'Restore it: git checkout pnpm-lock.yaml',
    };
  }
  if (present === wanted) return { name, status: 'ok', summary: 'packages match the lock file' };
  return {
    name,
    status: 'failed',
    summary: 'packages do not match the lock file',
    remedy: 'Remove node_modules and start ./flywheel again: it installs them.',
  };
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}
