import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addKey, readKeyFolder, removeKey, retireKey, type KeyFolder } from './key-folder.ts';
import { parseTokenKey, type TokenAlgorithm } from './token-key.ts';

let folder: KeyFolder;
const NOW = Date.UTC(2027, 0, 1);

beforeEach(async () => {
  folder = { path: await mkdtemp(join(tmpdir(), 'flywheel-keys-')), prefix: 'token-' };
});
afterEach(() => rm(folder.path, { recursive: true }));

async function states(): Promise<readonly (readonly [string, string])[]> {
  return (await readKeyFolder(folder)).map(({ key, state }) => [key.algorithm, state]);
}

test('keys are made, retired and removed, and the last one that signs stays', async () => {
  await writeFile(join(folder.path, 'admin.token'), 'no key');
  const first = await addKey(folder, 'HS256', NOW);
  await expect(removeKey(folder, first.key.kid)).rejects.toMatchObject({ code: 'conflict' });
  await expect(retireKey(folder, first.key.kid)).rejects.toMatchObject({ code: 'conflict' });

  await addKey(folder, 'EdDSA', NOW + 1000);
  expect(first.file).toMatch(/^token-key-20270101T000000Z-[\w-]{6}\.jwk$/);
  expect((await stat(join(folder.path, first.file))).mode & 0o777).toBe(0o600);
  await retireKey(folder, first.key.kid);
  expect(await states()).toEqual([
    ['HS256', 'verify-only'],
    ['EdDSA', 'active'],
  ]);
  expect((await readKeyFolder(folder))[0]?.key.sign).toBeUndefined();
  await removeKey(folder, first.key.kid);
  expect(await states()).toEqual([['EdDSA', 'active']]);
  expect(await readdir(folder.path)).toHaveLength(2);
  await expect(removeKey(folder, 'nobody')).rejects.toMatchObject({ code: 'not-found' });
});

test.each<TokenAlgorithm>(['HS256', 'RS256', 'EdDSA', 'ES256'])('%s', async (algorithm) => {
  const { file, key } = await addKey(folder, algorithm, NOW, true);
  const [read] = await readKeyFolder(folder);
  expect(read).toMatchObject({ file, state: 'verify-only' });
  expect([read?.key.kid, read?.key.algorithm]).toEqual([key.kid, algorithm]);
});

test('the same key has the same id everywhere, in every form', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const forms = [
    pem,
    Buffer.from(pem).toString('base64'),
    publicKey.export({ type: 'spki', format: 'pem' }),
    JSON.stringify(privateKey.export({ format: 'jwk' })),
  ];
  const kids = new Set(forms.map((form) => parseTokenKey(form).kid));
  expect(kids.size).toBe(1);
});

test('what is no key, or too weak a one, is refused without being repeated', async () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const pem = (key: typeof small.privateKey) => key.export({ type: 'pkcs8', format: 'pem' });
  const secret = 'c2VjcmV0LXNlY3JldA';
  for (const [text, reason] of [
    [pem(small.privateKey), 'it has 1024 bits'],
    [pem(curve.privateKey), 'ES256 needs P-256'],
    [`{"kty":"oct","k":"${secret}","alg":"RS256"}`, 'and is a key for HS256'],
    [`{"kty":"oct","k":"${secret}!"}`, 'no base64url'],
    [`{"kty":"oct","k":"${secret}"`, 'not valid JSON'],
    ['my secret!', 'no standard base64'],
    ['', 'the secret is empty'],
  ] as const) {
    expect(() => parseTokenKey(text)).toThrow(reason);
    expect(() => parseTokenKey(text)).not.toThrow(secret);
  }
  await writeFile(join(folder.path, 'token-bad'), '{');
  await expect(readKeyFolder(folder)).rejects.toThrow(`the token key ${folder.path}/token-bad: `);
});
