import { readFile } from 'node:fs/promises';
import { join, dirname, basename } from 'node:path';
import { FlywheelError, messageOf } from '@flywheel/base';
import { z } from 'zod';
import type { Backend, GitlabBackend } from './backend.ts';
import { gitlabRequest } from './gitlab-request.ts';

/** Who holds the lock of a state, as tofu has written it. */
export interface LockHolder {
  readonly id: string;
  readonly who: string;
  /** What it is for: "OperationTypeApply" is "apply" here. */
  readonly operation: string;
  /** In ISO 8601. */
  readonly created: string;
}

const lockInfo = z.object({
  ID: z.string(),
  Who: z.string().default('somebody'),
  Operation: z.string().default(''),
  Created: z.string().default(''),
});

/**
 * Who holds the lock; undefined when nobody does. GitLab tells it only to who wants the lock: it is
 * taken for a moment.
 */
export async function lockHolder(backend: Backend, id: string): Promise<LockHolder | undefined> {
  return backend.kind === 'gitlab' ? askGitlab(backend, id) : readLockFile(backend.file);
}

async function askGitlab(backend: GitlabBackend, id: string): Promise<LockHolder | undefined> {
  const attempted = `ask for the lock of ${backend.name}`;
  const json = {
    ID: id,
    Operation: 'flywheel unlock',
    Info: '',
    Who: 'flywheel',
    Version: '',
    Created: new Date().toISOString(),
    Path: '',
  };
  const taken = await gitlabRequest(backend, { attempted, path: '/lock', method: 'POST', json });
  if (taken.status === 409) return parseHolder(backend, taken.body);
  if (taken.status === 404) {
    throw new FlywheelError('not-found', `${attempted}: GitLab shows this token no such project`);
  }
  await gitlabRequest(backend, { attempted, path: '/lock', method: 'DELETE', json });
  return undefined;
}

/** tofu keeps the holder of a state in a file beside it. */
async function readLockFile(file: string): Promise<LockHolder | undefined> {
  const lockFile = join(dirname(file), `.${basename(file)}.lock.info`);
  const text = await readFile(lockFile, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseHolder({ name: file }, text);
}

function parseHolder({ name }: { readonly name: string }, text: string): LockHolder {
  try {
    const {
      ID: id,
      Who: who,
      Operation: operation,
      Created: created,
    } = lockInfo.parse(JSON.parse(text));
    return { id, who, operation: plainOperation(operation), created };
  } catch (error) {
    throw new FlywheelError(
      'unavailable',
      `the state ${name} is locked, and it is not said by whom: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * The holder in what tofu prints when it does not get the lock: lines "Who: …" in the detail of its
 * diagnostic.
 */
export function holderInDiagnostic(detail: string): LockHolder | undefined {
  const field = (name: string): string | undefined =>
    new RegExp(`^\\s*${name}:\\s*(.+?)\\s*$`, 'm').exec(detail)?.[1];
  const id = field('ID');
  if (id === undefined) return undefined;
  const created = field('Created') ?? '';
  return {
    id,
    who: field('Who') ?? 'somebody',
    operation: plainOperation(field('Operation') ?? ''),
    created: isoTime(created),
  };
}

function plainOperation(operation: string): string {
  return operation.replace(/^OperationType/, '').toLowerCase() || 'an unknown reason';
}

/** Go prints "2026-11-23 13:53:30.239 +0000 UTC". */
function isoTime(text: string): string {
  const time = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.\d+)? \+0000 UTC$/.exec(text);
  return time === null ? text : `${time[1]}T${time[2]}Z`;
}

export function lockedError(
  { stack, environment }: { readonly stack: string; readonly environment: string },
  holder: LockHolder,
): FlywheelError {
  const { id, who, operation, created } = holder;
  return new FlywheelError(
    'conflict',
    `the state of ${stack} is locked by ${who} since ${created}, for ${operation}`,
    {
      details: {
        holder,
        hint:
          `Wait until that run has ended. When it is gone and has left the lock behind:\n` +
          `./flywheel unlock ${stack} ${id} --environment ${environment}`,
      },
    },
  );
}
