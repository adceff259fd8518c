import { join } from 'node:path';
import { runChild } from '../child.ts';
import type { RunResult } from '../child.ts';
import { writeKubeconfig, writeServiceAccountKeys, writeTokens } from './accounts.ts';
import type { Account } from './accounts.ts';
import { ApiClient } from './api-client.ts';
import { Component } from './component.ts';
import type { Place } from './place.ts';

/** etcd, the API server and the controllers. */
export interface ControlPlane extends AsyncDisposable {
  /** URL of the API server, which is reached from outside of the place too. */
  readonly server: string;
  /** Of the administrator. */
  readonly kubeconfig: string;
  kubeconfigOf(account: Account): Promise<string>;
  /** Runs kubectl as the administrator. A failing status is an answer. */
  kubectl(args: readonly string[], input?: string): Promise<RunResult>;
  /** What the API server answers the administrator to a path. Throws when that is no success. */
  get(path: string): Promise<unknown>;
}

/** Starts the control plane with its data in `folder`, and returns when it answers. */
export async function startControlPlane(
  place: Place,
  folder: string,
  programs: string,
  apiFlags: Flags = {},
): Promise<ControlPlane> {
  await using started = new AsyncDisposableStack();
  const start = async (program: string, flags: Flags): Promise<Component> =>
    started.use(
      await Component.start(place, folder, [join(programs, program), ...argumentsOf(flags)]),
    );

  const etcd = `http://127.0.0.1:${await place.port(2379)}`;
  const peer = `http://127.0.0.1:${await place.port(2380)}`;
  await start('etcd', {
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': etcd,
    'advertise-client-urls': etcd,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    // A test's cluster is never started again.
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
  });

  const tokens = await writeTokens(join(folder, 'tokens.csv'));
  const keys = await writeServiceAccountKeys(folder);
  const port = await place.port(6443);
  const server = `https://${place.address}:${port}`;
  // Without a certificate, the API server makes one for its own addresses, and signs it itself.
  const authority = join(folder, 'certificates', 'apiserver.crt');
  const kubeconfigOf = (account: Account): Promise<string> =>
    writeKubeconfig(join(folder, `${account}.kubeconfig`), {
      server,
      authority,
      token: tokens[account],
    });
  const kubeconfig = await kubeconfigOf('admin');
  const kubectl = (args: readonly string[], input?: string): Promise<RunResult> =>
    runChild([join(programs, 'kubectl'), `--kubeconfig=${kubeconfig}`, ...args], {
      env: { PATH: '/usr/bin:/bin', HOME: folder },
      ...(input === undefined ? {} : { input }),
    });

  const apiserver = await start('kube-apiserver', {
    'etcd-servers': etcd,
    'bind-address': place.address,
    'advertise-address': place.address,
    'secure-port': `${port}`,
    'cert-dir': join(folder, 'certificates'),
    'token-auth-file': join(folder, 'tokens.csv'),
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'service-cluster-ip-range': place.serviceRange,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': keys.publicKey,
    'service-account-signing-key-file': keys.privateKey,
    'allow-privileged': 'true',
    'kubelet-preferred-address-types': 'InternalIP',
    // Pods cannot be sent to a loopback address.
    'endpoint-reconciler-type': place.address.startsWith('127.') ? 'none' : 'lease',
    // A stopped test need not wait for watchers.
    'shutdown-delay-duration': '0s',
    ...apiFlags,
  });
  await apiserver.ready(async () => {
    const asked = await kubectl(['get', '--raw=/readyz', '--request-timeout=5s']);
    return asked.status === 0;
  });

  const client = started.use(await ApiClient.open({ server, authority, token: tokens.admin }));

  const controllers = await start('kube-controller-manager', {
    kubeconfig: await kubeconfigOf('controller-manager'),
    'root-ca-file': authority,
    'service-account-private-key-file': keys.privateKey,
    'service-cluster-ip-range': place.serviceRange,
    'use-service-account-credentials': 'true',
    'leader-elect': 'false',
    'bind-address': '127.0.0.1',
    'secure-port': `${await place.port(10257)}`,
    'horizontal-pod-autoscaler-sync-period': '2s',
  });
  await controllers.ready(
    async () => (await kubectl(['get', 'serviceaccount', 'default'])).status === 0,
  );

  const components = started.move();
  return {
    server,
    kubeconfig,
    kubeconfigOf,
    kubectl,
    get: (path) => client.get(path),
    [Symbol.asyncDispose]: () => components.disposeAsync(),
  };
}

type Flags = Readonly<Record<string, string>>;

export function argumentsOf(flags: Flags): readonly string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
