import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuthenticator, type Authenticator } from './access/authenticator.ts';
import { readKeyFolder } from './access/key-folder.ts';
import { KeyRing } from './access/key-ring.ts';
import {
  dataDirectory,
  ensureAdminToken,
  ensureTokenKey,
  lockDataDirectory,
  prepareDataDirectory,
  type DataDirectory,
} from './data-directory.ts';

const DAY_MS = 86_400_000;
let directory: DataDirectory;
let now: number;
const clock = { now: () => now };

beforeEach(async () => {
  now = Date.UTC(2027, 0, 1);
  directory = dataDirectory(await mkdtemp(join(tmpdir(), 'flywheel-data-')));
  await prepareDataDirectory(directory);
});
afterEach(() => rm(directory.root, { recursive: true }));

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

async function access(): Promise<{ ring: KeyRing; authenticator: Authenticator }> {
  await ensureTokenKey(directory);
  const files = await readKeyFolder(directory.tokenKeys);
  const ring = new KeyRing(files.map(({ key }) => key));
  const isRevoked = async (): Promise<boolean> => false;
  const parts = { keys: () => ring, isRevoked, recheckMs: 5000, clock };
  return { ring, authenticator: createAuthenticator(parts) };
}

async function adminToken(): Promise<string> {
  const { ring, authenticator } = await access();
  return ensureAdminToken(directory, ring.signer, authenticator, clock);
}

test('keys and tokens are readable by their owner alone', async () => {
  await adminToken();
  expect(await modeOf(directory.tokenSecret)).toBe('600');
  expect(await modeOf(directory.adminToken)).toBe('600');
  expect(await modeOf(join(directory.root, 'keys'))).toBe('700');
});

test('the admin token stays the same until it is about to expire, and works', async () => {
  const token = await adminToken();
  expect(await adminToken()).toBe(token);
  const { authenticator } = await access();
  const claims = await authenticator.authenticate(`Bearer ${token}`);
  expect(claims?.grants[0]?.pattern).toBe('*');
  expect(claims?.grants[0]?.permissions.size).toBe(7);
  now += 680 * DAY_MS;
  const renewed = await adminToken();
  expect(renewed).not.toBe(token);
  expect((await readFile(directory.adminToken, 'utf8')).trim()).toBe(renewed);
});

test('a token of another key is replaced', async () => {
  await access();
  await writeFile(directory.adminToken, 'garbage\n');
  expect(await adminToken()).toMatch(/^ey/);
});

test('one process at a time serves a directory, and names the other', async () => {
  const unlock = await lockDataDirectory(directory);
  await writeFile(directory.server, '{"pid":4711,"url":"http://127.0.0.1:8080/"}');
  await expect(lockDataDirectory(directory)).rejects.toMatchObject({
    code: 'conflict',
    message: `${directory.root} is already served by process 4711 at http://127.0.0.1:8080/`,
  });
  unlock();
  (await lockDataDirectory(directory))();
});

test('a directory that cannot be made says so', async () => {
  const file = join(directory.root, 'file');
  await writeFile(file, '');
  await expect(prepareDataDirectory(dataDirectory(join(file, 'below')))).rejects.toMatchObject({
    message: expect.stringContaining(`write to the data directory ${file}/below`) as string,
    details: { hint: expect.stringContaining('--data DIR') as string },
  });
});
