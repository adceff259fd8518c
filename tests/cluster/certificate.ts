import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outputOf, runChild } from '@flywheel/testing';

/** Makes a certificate for names, signed by its own key, for two days. Both as PEM. */
export async function makeCertificate(
  subject: string,
  names: readonly string[] = [],
): Promise<{ readonly key: string; readonly cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const alternatives = names.map((name) => `DNS:${name}`).join(',');
  // prettier-ignore
  const command = ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
    '-subj', `/CN=${subject}`, '-addext', 'basicConstraints=critical,CA:FALSE',
    ...(names.length === 0 ? [] : ['-addext', `subjectAltName=${alternatives}`]),
    '-keyout', key, '-out', cert];
  outputOf(await runChild(command, { env: { PATH: '/usr/bin:/bin' } }), 'a certificate');
  const made = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  await rm(folder, { recursive: true });
  return made;
}
