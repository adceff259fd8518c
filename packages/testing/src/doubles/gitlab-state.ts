import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A lock as tofu sends it. */
export interface StateLock {
  readonly ID: string;
  readonly [field: string]: unknown;
}

export interface StateRequest {
  readonly method: string;
  /** `production-attic`, or `production-attic/lock`. */
  readonly path: string;
}

/** How the next request that fits is answered in place of the truth. */
export interface Fault {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body?: string;
  /** So many that fit are answered as usual before. */
  readonly after?: number;
}

/** GitLab's API of OpenTofu states, in memory: versions, locks, one project, one token. */
export interface GitlabState extends AsyncDisposable {
  readonly url: string;
  /** All that was asked, in order. */
  readonly requests: readonly StateRequest[];
  /** Every version of a state, the current one last. */
  versions(name: string): readonly string[];
  lockOf(name: string): StateLock | undefined;
  lock(name: string, lock: StateLock): void;
  /** Loses a state, or puts another in its place. */
  replace(name: string, text: string | undefined): void;
  fail(fault: Fault): void;
}

interface State {
  readonly versions: string[];
  current: string | undefined;
  lock: StateLock | undefined;
}

export async function startGitlabState(options: {
  readonly projectId: number;
  readonly token: string;
}): Promise<GitlabState> {
  const states = new Map<string, State>();
  const requests: StateRequest[] = [];
  const faults: { fault: Fault; after: number }[] = [];
  const stateOf = (name: string): State => {
    const state = states.get(name) ?? { versions: [], current: undefined, lock: undefined };
    states.set(name, state);
    return state;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://gitlab');
    const method = request.method ?? '';
    const body = await readBody(request);
    const end = (status: number, text = ''): void => void response.writeHead(status).end(text);
    const route = /^\/api\/v4\/projects\/(\d+)\/terraform\/state\/([\w.-]+)(\/lock)?$/.exec(
      url.pathname,
    );
    if (route === null) return end(404, '{"error":"404 Not Found"}');
    const [, project, name = '', lock = ''] = route;
    const path = `${name}${lock}`;
    requests.push({ method, path });
    const fault = takeFault(faults, method, path);
    if (fault !== undefined) return end(fault.status, fault.body);
    if (!isAuthorized(request, options.token)) return end(401, '{"message":"401 Unauthorized"}');
    if (Number(project) !== options.projectId)
      return end(404, '{"message":"404 Project Not Found"}');
    const state = stateOf(name);
    if (lock !== '') return answerLock(state, method, body, end);
    return answerState(state, method, url.searchParams.get('ID'), body, end);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    versions: (name) => stateOf(name).versions,
    lockOf: (name) => stateOf(name).lock,
    lock: (name, lock) => void (stateOf(name).lock = lock),
    replace: (name, text) => void (stateOf(name).current = text),
    fail: (fault) => void faults.push({ fault, after: fault.after ?? 0 }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type End = (status: number, text?: string) => void;

function answerState(
  state: State,
  method: string,
  lockId: string | null,
  body: string,
  end: End,
): void {
  switch (method) {
    case 'GET':
      return state.current === undefined ? end(204) : end(200, state.current);
    case 'POST':
      if (state.lock !== undefined && state.lock.ID !== lockId) {
        return end(409, JSON.stringify(state.lock));
      }
      state.current = body;
      state.versions.push(body);
      return end(200);
    case 'DELETE':
      state.current = undefined;
      return end(200);
    default:
      return end(405);
  }
}

function answerLock(state: State, method: string, body: string, end: End): void {
  const asked = (body === '' ? { ID: '' } : JSON.parse(body)) as StateLock;
  switch (method) {
    case 'POST':
      if (state.lock !== undefined) return end(409, JSON.stringify(state.lock));
      state.lock = asked;
      return end(200);
    case 'DELETE':
      // Without an id it is removed whoever holds it: that is what tofu's force-unlock sends.
      if (state.lock !== undefined && asked.ID !== '' && asked.ID !== state.lock.ID) {
        return end(409, JSON.stringify(state.lock));
      }
      state.lock = undefined;
      return end(200);
    default:
      return end(405);
  }
}

function takeFault(
  faults: { fault: Fault; after: number }[],
  method: string,
  path: string,
): Fault | undefined {
  const index = faults.findIndex(({ fault }) => fault.method === method && fault.path === path);
  const found = faults[index];
  if (found === undefined) return undefined;
  if (found.after > 0) {
    found.after -= 1;
    return undefined;
  }
  faults.splice(index, 1);
  return found.fault;
}

function isAuthorized(request: IncomingMessage, token: string): boolean {
  const [scheme, encoded = ''] = (request.headers.authorization ?? '').split(' ');
  return scheme === 'Basic' && Buffer.from(encoded, 'base64').toString().endsWith(`:${token}`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
