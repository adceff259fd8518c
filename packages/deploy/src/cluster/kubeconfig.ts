// The part of kubeconfig (v1) that leads to one cluster, as kubectl reads it.
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { FlywheelError, isFlywheelError, messageOf, toFlywheelError } from '@flywheel/base';
import { parse } from 'yaml';
import { z } from 'zod';

const text = z.string().nullish();

const Cluster = z.looseObject({
  server: z.string(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'tls-server-name': text,
  'proxy-url': text,
});

const Exec = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  installHint: text,
  provideClusterInfo: z.boolean().nullish(),
  interactiveMode: text,
});

const User = z.looseObject({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-groups': z.array(z.string()).nullish(),
  exec: Exec.nullish(),
  'auth-provider': z.unknown().optional(),
});

const Context = z.object({ cluster: z.string(), user: z.string() });

const Kubeconfig = z.object({
  clusters: z.array(z.object({ name: z.string(), cluster: Cluster })).nullish(),
  users: z.array(z.object({ name: z.string(), user: User })).nullish(),
  contexts: z.array(z.object({ name: z.string(), context: Context })).nullish(),
});

export type KubeconfigCluster = z.output<typeof Cluster>;
export type KubeconfigUser = z.output<typeof User>;
export type ExecPlugin = z.output<typeof Exec>;

/** A context with what it leads to. Files that it names are absolute. */
export interface ClusterAccess {
  readonly context: string;
  readonly cluster: KubeconfigCluster;
  readonly user: KubeconfigUser;
  /** The kubeconfig that says all of it; absent where several do together, or none. */
  readonly file?: string;
}

/** Where kubectl looks: $KUBECONFIG, which may name several files, else ~/.kube/config. */
export function kubeconfigPaths(
  env: Readonly<Partial<Record<string, string>>>,
  home: string,
): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return named.length > 0 ? named : [join(home, '.kube', 'config')];
}

/**
 * Finds a context in files that count as one, by the rules of kubectl: the first that has a name counts
 * for all that is under it, and what is empty or absent is passed over. Throws `not-found` when no file
 * is there or none has the context, `invalid-input` for a file that is no kubeconfig.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 */
export async function findContext(
  paths: readonly string[],
  context: string,
): Promise<ClusterAccess> {
  const files = await Promise.all(paths.map((path) => readKubeconfig(path)));
  const present = files.filter((file) => file !== undefined);
  if (present.length === 0) {
    throw new FlywheelError('not-found', `there is no kubeconfig: ${paths.join(', ')}`, {
      details: { hint: 'Set KUBECONFIG to the file that has the context of the environment.' },
    });
  }
  const contexts = present.flatMap((file) => file.contexts);
  const found = contexts.find(({ name }) => name === context);
  if (found === undefined)
    throw noContext(
      paths,
      context,
      contexts.map(({ name }) => name),
    );
  const clusters = present.flatMap((file) => file.clusters);
  const users = present.flatMap((file) => file.users);
  const wanted = found.context;
  const cluster = clusters.find(({ name }) => name === wanted.cluster);
  const user = users.find(({ name }) => name === wanted.user);
  if (cluster === undefined || user === undefined) {
    const what = cluster === undefined ? `cluster "${wanted.cluster}"` : `user "${wanted.user}"`;
    throw new FlywheelError('invalid-input', `the kubeconfig has no ${what}`, {
      details: { hint: `The context "${context}" refers to it: ${paths.join(', ')}` },
    });
  }
  const inOneFile = found.file === cluster.file && found.file === user.file;
  return {
    context,
    cluster: cluster.cluster,
    user: user.user,
    ...(inOneFile ? { file: found.file } : {}),
  };
}

async function readKubeconfig(path: string) {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    // As kubectl does with a list of which some are not there.
    if (isFlywheelError(toFlywheelError(error), 'not-found')) return undefined;
    throw toFlywheelError(error, `read the kubeconfig ${path}`);
  }
  const parsed = Kubeconfig.safeParse(parseYaml(path, content) ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(path, `${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { clusters, users, contexts } = parsed.data;
  const from = (named: string | null | undefined) =>
    typeof named === 'string' && named !== '' ? resolve(dirname(path), named) : named;
  const file = resolve(path);
  return {
    contexts: (contexts ?? []).map((entry) => ({ file, ...entry })),
    clusters: (clusters ?? []).map(({ name, cluster }) => ({
      file,
      name,
      cluster: { ...cluster, 'certificate-authority': from(cluster['certificate-authority']) },
    })),
    users: (users ?? []).map(({ name, user }) => ({
      file,
      name,
      user: {
        ...user,
        'client-certificate': from(user['client-certificate']),
        'client-key': from(user['client-key']),
        tokenFile: from(user.tokenFile),
        // A bare name is looked up on PATH.
        ...(user.exec?.command.includes('/')
          ? { exec: { ...user.exec, command: resolve(dirname(path), user.exec.command) } }
          : {}),
      },
    })),
  };
}

/** The messages of the parser quote lines, in which tokens may stand. */
function parseYaml(path: string, content: string): unknown {
  try {
    return parse(content, { prettyErrors: false });
  } catch (error) {
    throw invalid(path, messageOf(error).split('\n')[0] ?? '');
  }
}

function invalid(path: string, reason: string): FlywheelError {
  return new FlywheelError('invalid-input', `${path} is no kubeconfig: ${reason}`);
}

function noContext(
  paths: readonly string[],
  context: string,
  names: readonly string[],
): FlywheelError {
  return new FlywheelError('not-found', `no kubeconfig has the context "${context}"`, {
    details: {
      hint:
        `organization.yaml names it (environments.NAME.context), and no other is ever used.\n` +
        `${paths.join(', ')} ${names.length === 0 ? 'has none.' : `has: ${names.join(', ')}.`}`,
    },
  });
}
