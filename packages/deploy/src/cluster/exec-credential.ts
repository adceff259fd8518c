import { execFile } from 'node:child_process';
import { FlywheelError, messageOf } from '@flywheel/base';
import { z } from 'zod';
import type { ExecPlugin, KubeconfigCluster } from './kubeconfig.ts';

/** What a plugin gives; `expiresMs` is absent when it holds for the whole process. */
export interface ExecCredential {
  readonly token?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly expiresMs?: number;
}

const Answer = z.object({
  apiVersion: z.string(),
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().nullish(),
  }),
});

const TIMEOUT_MS = 60_000;

/**
 * Runs the credential plugin of a kubeconfig (client.authentication.k8s.io/v1 and v1beta1), such as
 * those of AWS, Google and Azure. It cannot ask anybody anything. Throws `not-found` when the program
 * is not there, `unauthorized` when it fails or answers nonsense; what it answers is never quoted.
 */
export async function runExecPlugin(
  plugin: ExecPlugin,
  cluster: KubeconfigCluster,
  env: Readonly<Partial<Record<string, string>>>,
  signal?: AbortSignal,
): Promise<ExecCredential> {
  if (plugin.interactiveMode === 'Always') {
    throw new FlywheelError('unsupported', `${plugin.command} wants to ask somebody`, {
      details: { hint: 'Sign in with it first, or use a context whose plugin does not ask.' },
    });
  }
  const stdout = await outputOf(plugin, { ...env, ...environmentOf(plugin, cluster) }, signal);
  return readAnswer(plugin, stdout);
}

function environmentOf(plugin: ExecPlugin, cluster: KubeconfigCluster): Record<string, string> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(plugin.provideClusterInfo === true ? { cluster } : {}) },
  };
  const own = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  return { ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
}

async function outputOf(
  plugin: ExecPlugin,
  env: Readonly<Partial<Record<string, string>>>,
  signal?: AbortSignal,
): Promise<string> {
  const options = {
    env,
    timeout: TIMEOUT_MS,
    maxBuffer: 1024 * 1024,
    ...(signal ? { signal } : {}),
  };
  return await new Promise((done, fail) => {
    const child = execFile(plugin.command, plugin.args ?? [], options, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(failure(plugin, error, stderr));
    });
    child.stdin?.end();
  });
}

function failure(plugin: ExecPlugin, error: Error, stderr: string): FlywheelError {
  const { command, installHint } = plugin;
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
    return new FlywheelError('not-found', `the kubeconfig needs ${command}, which is not there`, {
      cause: error,
      details: { hint: installHint ?? 'Install it, or put it on PATH.' },
    });
  }
  const [last = ''] = stderr.trim().split('\n').slice(-1);
  const { code } = error as { readonly code?: unknown };
  const reason = typeof code === 'number' ? `status ${code}` : messageOf(error).split('\n')[0];
  return new FlywheelError('unauthorized', `${command} gave no credentials: ${reason}`, {
    details: { hint: last === '' ? 'Run it by hand to see why.' : last },
  });
}

function readAnswer(plugin: ExecPlugin, stdout: string): ExecCredential {
  let json: unknown;
  try {
    json = JSON.parse(stdout);
  } catch {
    // Its message would quote what may be a token.
    throw nonsense(plugin, 'its output is not JSON');
  }
  const parsed = Answer.safeParse(json);
  if (!parsed.success) throw nonsense(plugin, 'its output is no ExecCredential with a status');
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = parsed.data.status;
  if (token === undefined && clientCertificateData === undefined) {
    throw nonsense(plugin, 'it gave neither token nor certificate');
  }
  const expiresMs = Date.parse(expirationTimestamp ?? '');
  return {
    ...(token === undefined ? {} : { token }),
    ...(clientCertificateData === undefined ? {} : { certificate: clientCertificateData }),
    ...(clientKeyData === undefined ? {} : { key: clientKeyData }),
    ...(Number.isNaN(expiresMs) ? {} : { expiresMs }),
  };
}

function nonsense({ command }: ExecPlugin, reason: string): FlywheelError {
  return new FlywheelError('unauthorized', `${command} gave no credentials: ${reason}`);
}
