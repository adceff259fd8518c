import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import type { ClusterAccess } from '../cluster/kubeconfig.ts';
import { providerKubeconfig } from '../cluster/provider-kubeconfig.ts';
import { holderInDiagnostic, lockedError } from '../state/lock.ts';
import { formatDiagnostic, parseMessage } from './message.ts';
import type { Diagnostic, TofuMessage } from './message.ts';

/** OpenTofu in a folder, with all of its environment. */
export interface TofuSite {
  readonly program: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The cluster of the environment; absent where no kubeconfig leads there. */
  readonly access?: ClusterAccess;
  /** Whose it is, for messages. */
  readonly stack: string;
  readonly environment: string;
  /** Values that no message may contain. */
  readonly secrets: readonly string[];
  /** Aborted when somebody wants it to end: tofu then finishes what it is at, and gives the lock back. */
  readonly signal: AbortSignal;
}

interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command of tofu that prints messages (`-json`). Answers with its exit status where that is in
 * `statuses`; else throws what its diagnostics say.
 */
export async function runTofu(
  site: TofuSite,
  args: readonly string[],
  options: {
    readonly statuses?: readonly number[];
    readonly onMessage?: (message: TofuMessage) => void;
  } = {},
): Promise<number> {
  const diagnostics: Diagnostic[] = [];
  const { status, stdout, stderr } = await run(site, args, (line) => {
    const message = parseMessage(line);
    if (message === undefined) return;
    if (message.diagnostic?.severity === 'error') diagnostics.push(message.diagnostic);
    options.onMessage?.(message);
  });
  site.signal.throwIfAborted();
  if ((options.statuses ?? [0]).includes(status)) return status;
  throw failure(site, args[0] ?? '', diagnostics, stderr || stdout);
}

/** Runs a command of tofu that prints one JSON document, which comes back parsed. */
export async function readTofu(site: TofuSite, args: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await run(site, args);
  site.signal.throwIfAborted();
  if (status !== 0) throw failure(site, args[0] ?? '', [], stderr || stdout);
  // Warnings about the configuration of tofu itself come before the document, on the same stream.
  const start = stdout.search(/^\{/m);
  try {
    return JSON.parse(stdout.slice(start));
  } catch (error) {
    throw new FlywheelError('unsupported', `tofu ${args[0]} printed no JSON`, {
      cause: error,
      details: { hint: 'OpenTofu 1.9 or newer is needed.' },
    });
  }
}

async function run(
  { program, folder, env, access, signal }: TofuSite,
  args: readonly string[],
  onLine?: (line: string) => void,
): Promise<Finished> {
  signal.throwIfAborted();
  await using kubeconfig = access === undefined ? undefined : await providerKubeconfig(access);
  const file = kubeconfig?.file;
  // A group of its own: Ctrl-C would reach it a second time, and two make it drop everything.
  const child = spawn(program, args, {
    cwd: folder,
    // Our own provider looks at the first before all others, those of others at the second.
    env: { ...env, ...(file === undefined ? {} : { KUBE_CONFIG: file, KUBE_CONFIG_PATH: file }) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const interrupt = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', interrupt, { once: true });
  const stdout: string[] = [];
  const stderr: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => void stderr.push(text));
  if (onLine === undefined) {
    child.stdout.setEncoding('utf8').on('data', (text: string) => void stdout.push(text));
  } else {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) stdout.push(`${line}\n`);
      onLine(line);
    });
  }
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    return { status: status ?? -1, stdout: stdout.join(''), stderr: stderr.join('') };
  } catch (error) {
    throw toFlywheelError(error, `start ${program}`);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function failure(
  site: TofuSite,
  command: string,
  diagnostics: readonly Diagnostic[],
  output: string,
): FlywheelError {
  const locked = diagnostics
    .filter(({ summary }) => /acquiring the state lock/i.test(summary))
    .map(({ detail = '' }) => holderInDiagnostic(detail))
    .find((holder) => holder !== undefined);
  if (locked !== undefined) return lockedError(site, locked);
  const texts = diagnostics.map(formatDiagnostic);
  const hint = hideSecrets(site, texts.length > 0 ? texts.join('\n\n') : lastLines(output));
  const summary = diagnostics[0]?.summary ?? 'it failed';
  const message = hideSecrets(site, `tofu ${command} of ${site.stack}: ${summary}`);
  return new FlywheelError(codeOf(hint), message, { details: { hint } });
}

/** The nearest code to what only a text says. What tofu refuses is mostly in the configuration. */
function codeOf(text: string): FlywheelError['code'] {
  if (/saved plan is stale|apply failed with \d+ conflict/i.test(text)) return 'conflict';
  if (/connection refused|no such host|timeout|timed out|unreachable|\b50[0234]\b/i.test(text)) {
    return 'unavailable';
  }
  return /\bforbidden\b|permission denied/i.test(text) ? 'forbidden' : 'invalid-input';
}

function hideSecrets({ secrets }: TofuSite, text: string): string {
  return secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '(secret)'), text);
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-20).join('\n') || 'It printed nothing.';
}
