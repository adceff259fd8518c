import { join } from 'node:path';
import { runChild } from '../child.ts';
import { outputOf } from '../tofu.ts';

/** By which servers of further APIs know that the API server asks them, and for whom. */
export interface FrontProxy {
  /** A certificate that is its own authority. */
  readonly certificate: string;
  readonly key: string;
}

export async function writeFrontProxy(folder: string): Promise<FrontProxy> {
  const files = {
    certificate: join(folder, 'front-proxy.crt'),
    key: join(folder, 'front-proxy.key'),
  };
  // prettier-ignore
  const command = ['/usr/bin/openssl', 'req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=front-proxy',
    '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', files.key, '-out', files.certificate];
  outputOf(await runChild(command, { env: { PATH: '/usr/bin:/bin' } }), 'a certificate');
  return files;
}

export function frontProxyFlags({
  certificate,
  key,
}: FrontProxy): Readonly<Record<string, string>> {
  return {
    'proxy-client-cert-file': certificate,
    'proxy-client-key-file': key,
    'requestheader-client-ca-file': certificate,
    'requestheader-allowed-names': 'front-proxy',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
  };
}
