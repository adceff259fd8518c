import { createServer } from 'node:net';
import type { Finding } from './check.ts';

const HOST = '127.0.0.1';
const ANSWER_TIMEOUT_MS = 2000;

/** The port must be free, or answered by a flywheel that runs already. */
export async function checkListenPort(port: number): Promise<Finding> {
  const name = 'Listen port';
  const where = `${HOST}:${port}`;
  const failure = await listenFailure(port);
  if (failure === undefined) return { name, status: 'ok', summary: `${where} is free` };
  if (failure === 'EADDRINUSE') {
    if (await isFlywheel(port)) {
      return { name, status: 'ok', summary: `${where} is answered by a flywheel that runs` };
    }
    return {
      name,
      status: 'failed',
      summary: `${where} is taken by another program`,
      remedy: `Stop it (ss -ltnp 'sport = :${port}' shows which), or use another port.`,
    };
  }
  return {
    name,
    status: 'failed',
    summary: `${where} cannot be listened on: ${failure}`,
    remedy: port < 1024 ? 'Ports below 1024 are for root: use a higher one.' : 'Use another port.',
  };
}

/** The error code of listening there, or undefined when it works. */
async function listenFailure(port: number): Promise<string | undefined> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, HOST, () => server.close(() => resolve(undefined)));
  });
}

/** Whether the server there has the status that only a flywheel cache has. */
async function isFlywheel(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://${HOST}:${port}/_status.json`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const status: unknown = await answer.json();
    return typeof status === 'object' && status !== null && 'caches_public' in status;
  } catch {
    return false;
  }
}
