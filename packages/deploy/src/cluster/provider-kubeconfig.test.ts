import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findContext } from './kubeconfig.ts';
import { podAccess } from './pod-account.ts';
import { providerKubeconfig } from './provider-kubeconfig.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'provider-kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, config: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const CONTEXTS = [{ name: 'x', context: { cluster: 'c', user: 'u' } }];
const CLUSTERS = [{ name: 'c', cluster: { server: 'https://one', 'disable-compression': true } }];
const USERS = [{ name: 'u', user: { 'client-key': 'key.pem' } }];

test('a file that says all of it is taken as it is', async () => {
  const other = write('other', { clusters: [{ name: 'd', cluster: { server: 'https://d' } }] });
  const whole = write('whole', { contexts: CONTEXTS, clusters: CLUSTERS, users: USERS });

  {
    await using kubeconfig = await providerKubeconfig(await findContext([other, whole], 'x'));
    expect(kubeconfig.file).toBe(whole);
  }

  expect(existsSync(whole)).toBe(true);
});

test('of several, one is made that only this user reads, for as long as it is used', async () => {
  const first = write('first', { clusters: CLUSTERS });
  const second = write('second', {
    contexts: CONTEXTS,
    clusters: [{ name: 'c', cluster: { server: 'https://two' } }],
    users: USERS,
  });
  let file = '';
  {
    await using kubeconfig = await providerKubeconfig(await findContext([first, second], 'x'));
    file = kubeconfig.file;
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [{ name: 'x', cluster: { server: 'https://one', 'disable-compression': true } }],
      users: [{ name: 'x', user: { 'client-key': join(folder, 'key.pem') } }],
    });
  }

  expect(existsSync(file)).toBe(false);
});

test('the account of a pod names its files, so that no token is written', async () => {
  writeFileSync(join(folder, 'token'), 'tok3n');
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  await using kubeconfig = await providerKubeconfig(podAccess(env, 'acme', folder));

  expect(JSON.parse(readFileSync(kubeconfig.file, 'utf8'))).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'acme',
        cluster: {
          server: 'https://[fd00::1]:443',
          'certificate-authority': join(folder, 'ca.crt'),
        },
      },
    ],
    users: [{ name: 'acme', user: { tokenFile: join(folder, 'token') } }],
    contexts: [{ name: 'acme', context: { cluster: 'acme', user: 'acme' } }],
  });
});
