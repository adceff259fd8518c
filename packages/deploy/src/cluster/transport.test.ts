import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { connect as connectTo } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectCluster } from './client.ts';

const folder = mkdtempSync(join(tmpdir(), 'transport-'));
const made = makeCertificates();
afterAll(() => rmSync(folder, { recursive: true }));

describe('TLS, as a kubeconfig says', () => {
  if (made === undefined) declare();
  else test('all of it', ({ skip }) => skip(made));
});

function declare(): void {
  const file = (name: string): string => join(folder, name);
  const client = { 'client-certificate': 'client.crt', 'client-key': 'client.key' };
  const server = createServer(
    {
      key: readFileSync(file('server.key')),
      cert: readFileSync(file('server.crt')),
      ca: readFileSync(file('ca.crt')),
      requestCert: true,
      rejectUnauthorized: true,
    },
    ({ socket }, response) => {
      const { subject } = (socket as TLSSocket).getPeerCertificate();
      response.end(JSON.stringify({ who: subject.CN }));
    },
  );
  let proxied: string[] = [];
  const proxy = createProxy().on('connect', ({ url = '' }, socket) => {
    proxied.push(url);
    const upstream = connectTo(portOf(server), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
  });
  beforeAll(async () => {
    for (const each of [server, proxy]) {
      await new Promise<void>((done) => each.listen(0, '127.0.0.1', done));
    }
  });
  afterAll(() => {
    for (const each of [server, proxy]) {
      each.closeAllConnections();
      each.close();
    }
  });

  async function ask(cluster: object, user: object = client, env: object = {}): Promise<unknown> {
    const config = {
      clusters: [
        { name: 'c', cluster: { server: `https://127.0.0.1:${portOf(server)}`, ...cluster } },
      ],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    };
    writeFileSync(file('config'), JSON.stringify(config));
    const options = { env: { KUBECONFIG: file('config'), ...env }, home: folder, now: () => 0 };
    return await (await connectCluster('x', options)).get('/version');
  }

  test('an authority and a client certificate, as files and as data', async () => {
    const data = (name: string): string => readFileSync(file(name)).toString('base64');

    expect(await ask({ 'certificate-authority': 'ca.crt' })).toEqual({ who: 'client' });
    expect(
      await ask(
        { 'certificate-authority-data': data('ca.crt') },
        {
          'client-certificate-data': data('client.crt'),
          'client-key-data': data('client.key'),
        },
      ),
    ).toEqual({ who: 'client' });
  });

  test('an unknown authority is refused, unless nobody is to look', async () => {
    await expect(ask({})).rejects.toMatchObject({ code: 'unavailable' });
    expect(await ask({ 'insecure-skip-tls-verify': true })).toEqual({ who: 'client' });
  });

  test('the name in the certificate may be another than that of the host', async () => {
    const authority = { 'certificate-authority': 'ca.crt' };
    const elsewhere = { ...authority, server: `https://localhost:${portOf(server)}` };

    await expect(ask(elsewhere)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await ask({ ...elsewhere, 'tls-server-name': 'kubernetes' })).toEqual({ who: 'client' });
  });

  test('a proxy of the kubeconfig, or of the environment', async () => {
    const url = `http://127.0.0.1:${portOf(proxy)}`;
    const hidden = {
      server: 'https://hidden.invalid:6443',
      'certificate-authority': 'ca.crt',
      'tls-server-name': 'kubernetes',
    };
    proxied = [];

    expect(await ask({ ...hidden, 'proxy-url': url })).toEqual({ who: 'client' });
    expect(await ask(hidden, client, { HTTPS_PROXY: url })).toEqual({ who: 'client' });
    expect(proxied).toEqual(['hidden.invalid:6443', 'hidden.invalid:6443']);
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** An authority with a certificate for a server and one for a client. Returns why there are none. */
function makeCertificates(): string | undefined {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout'];
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
  writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:kubernetes\n');
  try {
    openssl('req', '-x509', ...key, 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=ca');
    for (const name of ['server', 'client']) {
      openssl('req', ...key, `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      const files = ['-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', 'names'];
      openssl('x509', '-req', ...files, ...signed);
    }
    return undefined;
  } catch (error) {
    return `no certificates without openssl: ${String(error)}`;
  }
}
