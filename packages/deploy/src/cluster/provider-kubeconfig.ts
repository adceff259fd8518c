import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterAccess } from './kubeconfig.ts';

/** A kubeconfig for who reads just one file. */
export interface ProviderKubeconfig extends AsyncDisposable {
  readonly file: string;
}

/**
 * One file that leads to a cluster: the one that says all of it, else one made of several, or of a
 * pod's account, which goes when it is disposed of. The providers take KUBECONFIG for the name of one
 * file, and do not read KUBE_CONFIG_PATHS where a home has a default.
 */
export async function providerKubeconfig(access: ClusterAccess): Promise<ProviderKubeconfig> {
  if (access.file !== undefined) {
    return { file: access.file, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const { context: name, cluster, user } = access;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  // It holds what the files hold that it is made of: for nobody else, and not for long.
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-kubeconfig-'));
  const file = join(folder, 'config');
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
