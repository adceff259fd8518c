import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FlywheelError, isFlywheelError, toFlywheelError } from '@flywheel/base';
import { dataDirectory as pathsIn, readServerRecord } from '@flywheel/cache';
import { parseServerUrl } from '../commands/flags.ts';
import type { CliContext } from '../context.ts';
import { dataDirectory } from '../data-directory.ts';

export interface ServerFlags {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly data?: string;
}

/** A cache server, and who we are to it. */
export interface Server {
  /** Ends in `/`. */
  readonly endpoint: string;
  /** Absent: anonymous. Never printed. */
  readonly token?: string;
}

/**
 * The server that the flags or the environment name, else the one that serves the data directory,
 * with the administrator's token there. That token goes to no other server. Throws `not-found` when
 * no server is named and none runs.
 */
export async function findServer(context: CliContext, flags: ServerFlags): Promise<Server> {
  const token = await givenToken(context, flags);
  const named = flags.server ?? namedByEnvironment(context);
  if (named !== undefined) return withToken(named, token);
  const paths = pathsIn(dataDirectory(context, flags.data));
  const record = await readServerRecord(paths);
  if (record === undefined || !isAlive(record.pid)) {
    throw new FlywheelError('not-found', `no cache server runs on ${paths.root}`, {
      details: {
        hint:
          'Start one with ./flywheel up, or name one with --server URL or FLYWHEEL_SERVER;\n' +
          '--data DIR finds the one that serves another directory.',
      },
    });
  }
  return withToken(record.url, token ?? (await readToken(paths.adminToken)));
}

function withToken(endpoint: string, token: string | undefined): Server {
  return token === undefined ? { endpoint } : { endpoint, token };
}

function namedByEnvironment({ process: { env } }: CliContext): string | undefined {
  const text = env['FLYWHEEL_SERVER'] ?? '';
  return text === '' ? undefined : parseServerUrl(text);
}

async function givenToken(context: CliContext, flags: ServerFlags): Promise<string | undefined> {
  if (flags.tokenFile !== undefined) return readToken(resolve(context.cwd, flags.tokenFile));
  const token = context.process.env['FLYWHEEL_TOKEN']?.trim() ?? '';
  return token === '' ? undefined : token;
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const error = toFlywheelError(cause, 'read the token file');
    const hint = isFlywheelError(error, 'forbidden')
      ? 'Only the user that runs the server may read its token; ask for one of your own.'
      : 'Check the path.';
    throw new FlywheelError(error.code, error.message, { cause, details: { hint } });
  });
  const token = text.trim();
  // What is no token goes into no header, and the message must not repeat it.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new FlywheelError('invalid-input', `${path} does not hold one token`);
}

/** A server that was killed leaves its record behind. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
