import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatBytes, messageOf } from '@flywheel/base';
import type { Finding } from './check.ts';

const LEAST_FREE_BYTES = 1024 ** 3;

/** Whether `directory` is there or can be made, takes writes, and has room. Changes nothing. */
export async function checkDataDirectory(directory: string): Promise<Finding> {
  const name = 'Data directory';
  const existing = await nearestExisting(directory);
  try {
    if (!(await stat(existing)).isDirectory()) {
      const remedy = 'Move that file away, or choose another directory with --data DIR.';
      return { name, status: 'failed', summary: `${existing} is a file`, remedy };
    }
    await access(existing, constants.W_OK | constants.X_OK);
  } catch (error) {
    return {
      name,
      status: 'failed',
      summary: `${directory} cannot be written: ${messageOf(error)}`,
      remedy: `Give yourself write permission on ${existing}, or choose another directory with --data DIR.`,
    };
  }
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  if (free < LEAST_FREE_BYTES) {
    return {
      name,
      status: 'failed',
      summary: `${directory} has only ${formatBytes(free)} free`,
      remedy: `Free some space (${formatBytes(LEAST_FREE_BYTES)} is the least), or choose another disk with --data DIR.`,
    };
  }
  const made = existing === directory ? '' : ' (made at the first start)';
  return { name, status: 'ok', summary: `${directory}${made}, ${formatBytes(free)} free` };
}

async function nearestExisting(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  try {
    await stat(path);
    return path;
  } catch {
    return await nearestExisting(parent);
  }
}
