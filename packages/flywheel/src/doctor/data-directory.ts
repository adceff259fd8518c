import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FlywheelError, formatBytes, messageOf } from '@flywheel/base';
import type { Finding } from './check.ts';

const LEAST_FREE_BYTES = 1024 ** 3;

/** Whether `directory` is there or can be made, takes writes, and has room. Changes nothing. */
export async function checkDataDirectory(directory: string): Promise<Finding> {
  const name = 'Data directory';
  const existing = await nearestExisting(directory);
  const problem = await writingProblem(directory, existing);
  if (problem !== undefined) {
    return { name, status: 'failed', summary: problem.message, remedy: remedyOf(problem) };
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

/**
 * Throws, before anything is made, when `directory` can neither be written nor made: a folder that
 * cannot be made on a read-only disk would else be reported as one that does not exist.
 */
export async function requireDataDirectory(directory: string): Promise<void> {
  const problem = await writingProblem(directory, await nearestExisting(directory));
  if (problem !== undefined) throw problem;
}

async function writingProblem(
  directory: string,
  existing: string,
): Promise<FlywheelError | undefined> {
  try {
    if (!(await stat(existing)).isDirectory()) {
      return new FlywheelError('invalid-input', `${existing} is a file`, {
        details: { hint: 'Move that file away, or choose another directory with --data DIR.' },
      });
    }
    await access(existing, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (cause) {
    return new FlywheelError('forbidden', `${directory} cannot be written: ${messageOf(cause)}`, {
      cause,
      details: { hint: hintFor(cause, existing) },
    });
  }
}

function hintFor(cause: unknown, existing: string): string {
  const readOnly = (cause as NodeJS.ErrnoException).code === 'EROFS';
  const first = readOnly
    ? `The disk with ${existing} is read-only: mount it for writing`
    : `Give yourself write permission on ${existing}`;
  return `${first}, or choose another directory with --data DIR.`;
}

function remedyOf({ details }: FlywheelError): string {
  return String(details['hint']);
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
