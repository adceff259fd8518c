import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Who the programs of a cluster are, with the groups that Kubernetes' own roles are bound to. */
const ACCOUNTS = {
  admin: { user: 'admin', group: 'system:masters' },
  'controller-manager': { user: 'system:kube-controller-manager', group: '' },
  scheduler: { user: 'system:kube-scheduler', group: '' },
  proxy: { user: 'system:kube-proxy', group: '' },
  kubelet: { user: 'system:node:node', group: 'system:nodes' },
} as const;

export type Account = keyof typeof ACCOUNTS;

/** The bearer tokens of all accounts, which the API server reads from a file. */
export type Tokens = Readonly<Record<Account, string>>;

/** Makes the tokens, and writes them to the file that `--token-auth-file` takes. */
export async function writeTokens(file: string): Promise<Tokens> {
  const names = Object.keys(ACCOUNTS) as Account[];
  const tokens = Object.fromEntries(
    names.map((name) => [name, randomBytes(16).toString('hex')]),
  ) as Record<Account, string>;
  const lines = names.map((name) => {
    const { user, group } = ACCOUNTS[name];
    return `${tokens[name]},${user},${name},"${group}"\n`;
  });
  await writeFile(file, lines.join(''), { mode: 0o600 });
  return tokens;
}

/** Writes the two halves of the key that signs the tokens of service accounts. */
export async function writeServiceAccountKeys(folder: string): Promise<{
  readonly privateKey: string;
  readonly publicKey: string;
}> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const files = {
    privateKey: join(folder, 'service-accounts.key'),
    publicKey: join(folder, 'service-accounts.pub'),
  };
  await writeFile(files.privateKey, privateKey, { mode: 0o600 });
  await writeFile(files.publicKey, publicKey);
  return files;
}

/** Writes a kubeconfig with one context, `flywheel-test`, and answers its path. */
export async function writeKubeconfig(
  file: string,
  { server, authority, token }: { server: string; authority: string; token: string },
): Promise<string> {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'flywheel-test',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': authority } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'flywheel-test', context: { cluster: 'test', user: 'test' } }],
  };
  await writeFile(file, JSON.stringify(config, null, 2), { mode: 0o600 });
  return file;
}
