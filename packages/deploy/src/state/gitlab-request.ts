import { FlywheelError, messageOf } from '@flywheel/base';
import type { GitlabBackend } from './backend.ts';

export interface GitlabAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One request to GitLab's API of states. Statuses that the caller knows how to read come back:
 * success, 404, and 409. All others throw.
 */
export async function gitlabRequest(
  { address, username, password }: GitlabBackend,
  request: {
    readonly attempted: string;
    readonly path: string;
    readonly method: 'GET' | 'POST' | 'DELETE';
    readonly json?: unknown;
  },
): Promise<GitlabAnswer> {
  const { attempted, path, method, json } = request;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  let answer: GitlabAnswer;
  try {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        authorization,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      // A redirect would carry the token to who knows where.
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
    });
    answer = { status: response.status, body: await response.text() };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new FlywheelError('unavailable', `${attempted}: ${messageOf(cause)}`, {
      cause: error,
      details: { hint: `Nothing was changed. Is GitLab at ${new URL(address).origin} reachable?` },
    });
  }
  const { status } = answer;
  if (status === 401 || status === 403) throw refused(attempted, status);
  if ((status >= 200 && status < 300) || status === 404 || status === 409) return answer;
  throw new FlywheelError('unavailable', `${attempted}: GitLab answered ${status}`, {
    details: { hint: 'Nothing was changed. Try again; GitLab has a status page of its own.' },
  });
}

function refused(attempted: string, status: 401 | 403): FlywheelError {
  return status === 401
    ? new FlywheelError('unauthorized', `${attempted}: GitLab does not know this token`, {
        details: { hint: 'Is TF_HTTP_PASSWORD complete, and has the token not expired?' },
      })
    : new FlywheelError('forbidden', `${attempted}: GitLab does not allow it with this token`, {
        details: {
          hint: 'The token needs the scope api, and its role at least Developer to plan, Maintainer to apply.',
        },
      });
}
