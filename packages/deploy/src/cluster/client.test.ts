import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FlywheelError } from '@flywheel/base';
import { connectCluster } from './client.ts';

let folder = '';
let server: Server;
let url = '';
let requests: IncomingMessage[] = [];
let answer: (request: IncomingMessage) => { status: number; body: unknown };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  server = createServer((request, response) => {
    requests.push(request);
    const { status, body } = answer(request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  requests = [];
  answer = () => ({ status: 200, body: { metadata: { name: 'a' } } });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function kubeconfig(name: string, context: string, user: object, cluster: object = {}): string {
  const path = join(folder, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'never-used',
    clusters: [{ name: 'c', cluster: { server: url, ...cluster } }],
    users: [{ name: `${context}-user`, user }],
    contexts: [{ name: context, context: { cluster: 'c', user: `${context}-user` } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function connect(context: string, ...paths: readonly string[]) {
  const env = { KUBECONFIG: paths.join(delimiter), PATH: '/usr/bin:/bin' };
  return connectCluster(context, { env, home: folder, now: () => 1000 });
}

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('the context is found in the first of several files that has it', async () => {
  const one = kubeconfig('one', 'first', { token: 'of-one' });
  const two = kubeconfig('two', 'second', { username: 'ada', password: 'secret' });

  await (await connect('first', join(folder, 'absent'), one, two)).get('/a');
  await (await connect('second', one, two)).get('/b');

  expect(requests.map(({ url: path, headers }) => [path, headers.authorization])).toEqual([
    ['/a', 'Bearer of-one'],
    ['/b', `Basic ${Buffer.from('ada:secret').toString('base64')}`],
  ]);
});

test('what first has a name counts, whole, wherever the context is', async () => {
  const partOf = (name: string, config: object): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(config));
    return path;
  };
  const users = partOf('users', {
    users: [{ name: 'red', user: { username: 'ada', password: 'x' } }],
  });
  const rest = partOf('rest', {
    clusters: [{ name: 'c', cluster: { server: url } }],
    // Nothing of this one is taken, not even what the first does not say.
    users: [{ name: 'red', user: { token: 'of-the-second' } }],
    contexts: [{ name: 'spread', context: { cluster: 'c', user: 'red' } }],
  });
  const empty = join(folder, 'empty');
  writeFileSync(empty, '');

  await (await connect('spread', empty, users, rest)).get('/a');

  expect(requests[0]?.headers.authorization).toBe(
    `Basic ${Buffer.from('ada:x').toString('base64')}`,
  );
});

test('a token in a file is read anew, because Kubernetes replaces it', async () => {
  const file = join(folder, 'renewed');
  const cluster = await connect('renewed', kubeconfig('renews', 'renewed', { tokenFile: file }));
  for (const token of ['one', 'two']) {
    writeFileSync(file, `${token}\n`);
    await cluster.get('/a');
  }

  expect(requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer one',
    'Bearer two',
  ]);
});

test('files that a kubeconfig names lie beside it', async () => {
  writeFileSync(join(folder, 'token'), 'from-a-file\n');
  const path = kubeconfig('files', 'files', {
    tokenFile: 'token',
    as: 'eve',
    'as-groups': ['a', 'b'],
  });

  await (await connect('files', path)).get('/a');

  expect(requests[0]?.headers).toMatchObject({
    authorization: 'Bearer from-a-file',
    'impersonate-user': 'eve',
    'impersonate-group': 'a, b',
  });
});

test('a plugin gives tokens, which are renewed before they expire and when they are refused', async () => {
  const credential = (token: string) =>
    JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token, expirationTimestamp: '2100-01-01T00:00:00Z' },
    });
  program(
    'plugin',
    `echo "$1 $SAID $KUBERNETES_EXEC_INFO" >>${folder}/asked
     if [ -e ${folder}/second ]; then echo '${credential('two')}'; else touch ${folder}/second; echo '${credential('one')}'; fi`,
  );
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './plugin',
    args: ['get-token'],
    env: [{ name: 'SAID', value: 'so' }],
    interactiveMode: 'IfAvailable',
    provideClusterInfo: true,
  };
  const cluster = await connect('exec', kubeconfig('exec', 'exec', { exec }));
  answer = ({ headers }) =>
    headers.authorization === 'Bearer two'
      ? { status: 200, body: {} }
      : { status: 401, body: { kind: 'Status', message: 'Unauthorized' } };

  await cluster.get('/a');
  await cluster.get('/b');

  expect(requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer one',
    'Bearer two',
    'Bearer two',
  ]);
  const [first = '', ...more] = readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
  expect(more).toHaveLength(1);
  expect(first.startsWith('get-token so {')).toBe(true);
  expect(JSON.parse(first.slice('get-token so '.length))).toEqual({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: url } },
  });
});

test.each([
  ['is not there', 'absent-program', 'needs absent-program, which is not there', 'Get it there.'],
  ['fails', 'failing', 'gave no credentials: status 3', 'signed out'],
  ['answers nonsense', 'nonsense', 'gave no credentials: its output is not JSON', undefined],
])('a plugin that %s', async (_, name, message, hint) => {
  program('failing', 'echo "signed out" >&2; exit 3');
  program('nonsense', 'echo "tok3n"');
  const command = name === 'absent-program' ? name : `./${name}`;
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command,
    installHint: 'Get it there.',
  };
  const cluster = await connect(name, kubeconfig(`${name}.config`, name, { exec }));

  const error = await cluster.get('/a').catch((thrown: unknown) => thrown as never);

  expect(error).toMatchObject({ message: expect.stringContaining(message) });
  const { message: said, details } = error as unknown as FlywheelError;
  expect(details['hint']).toBe(hint);
  expect(said).not.toContain('tok3n');
  expect(requests).toEqual([]);
});

test.each([
  [400, 'invalid-input'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [409, 'conflict'],
  [422, 'invalid-input'],
])('status %i is %s', async (status, code) => {
  const cluster = await connect('status', kubeconfig('status', 'status', { token: 't' }));
  answer = () => ({ status, body: { kind: 'Status', message: 'because' } });

  await expect(cluster.get('/a')).rejects.toMatchObject({ code, message: 'get /a: because' });
  expect(requests).toHaveLength(1);
});

test('404 is absence, and what passes is tried again', async () => {
  const cluster = await connect('retry', kubeconfig('retry', 'retry', { token: 't' }));
  answer = () => ({ status: 404, body: 'no JSON at all' });
  expect(await cluster.get('/a')).toBeUndefined();

  answer = () => ({ status: requests.length < 3 ? 503 : 200, body: { items: [] } });
  expect(await cluster.list('/b')).toEqual([]);
  answer = () => ({ status: 500, body: '<html>' });
  await expect(cluster.list('/c')).rejects.toMatchObject({ code: 'unavailable' });
});

test('what no kubeconfig says', async () => {
  const path = kubeconfig('known', 'known', { token: 't' });
  await expect(connect('other', path)).rejects.toMatchObject({
    code: 'not-found',
    message: 'no kubeconfig has the context "other"',
    details: { hint: expect.stringContaining('has: known.') },
  });
  await expect(connect('known', join(folder, 'absent'))).rejects.toMatchObject({
    code: 'not-found',
  });
  writeFileSync(join(folder, 'broken'), 'token: "secret\n  - x');
  const broken = await connect('known', join(folder, 'broken')).catch((error: unknown) => error);
  expect(broken).toMatchObject({ code: 'invalid-input' });
  expect(String(broken)).not.toContain('secret');
  const legacy = kubeconfig('legacy', 'legacy', { 'auth-provider': { name: 'gcp' } });
  await expect((await connect('legacy', legacy)).get('/a')).rejects.toMatchObject({
    code: 'unsupported',
  });
});

test('a pod is told how its own account counts, and that it has none', async () => {
  const env = { KUBECONFIG: join(folder, 'absent'), KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  const options = { home: folder, now: () => 1000 };
  await expect(connectCluster('acme', { env, ...options })).rejects.toMatchObject({
    code: 'not-found',
    details: { hint: expect.stringMatching(/for its ServiceAccount: FLYWHEEL_POD_CONTEXT=acme$/) },
  });

  const told = { ...env, FLYWHEEL_POD_CONTEXT: 'acme' };
  await expect(connectCluster('acme', { env: told, ...options })).rejects.toMatchObject({
    code: 'invalid-input',
    message: 'FLYWHEEL_POD_CONTEXT is set, and this is no pod with an account',
  });
  await expect(connectCluster('other', { env: told, ...options })).rejects.toMatchObject({
    code: 'not-found',
  });
});

test('a server that does not answer is named', async () => {
  const path = kubeconfig('down', 'down', { token: 't' }, { server: 'https://127.0.0.1:1' });

  await expect((await connect('down', path)).get('/a')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'https://127.0.0.1:1 does not answer: connect ECONNREFUSED 127.0.0.1:1',
  });
});
