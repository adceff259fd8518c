import { once } from 'node:events';

/** Resolves when somebody asks the program to end: the way a server that runs well ends. */
export async function interrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
