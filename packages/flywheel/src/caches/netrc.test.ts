import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNetrcEntry } from './netrc.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-netrc-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a new file is the owner’s alone', async () => {
  const file = join(folder, 'nix', 'netrc');
  await writeNetrcEntry(file, 'cache.example.org', 'token-1');
  expect(await readFile(file, 'utf8')).toBe('machine cache.example.org\npassword token-1\n');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('the entry of the host is replaced, and the others stay', async () => {
  const file = join(folder, 'netrc');
  await writeFile(
    file,
    'machine other.org login me password one\nmachine cache.example.org\n  login x\n  password old\ndefault login anonymous\n',
  );
  await writeNetrcEntry(file, 'cache.example.org', 'new');
  expect(await readFile(file, 'utf8')).toBe(
    'machine cache.example.org\npassword new\nmachine other.org login me password one\ndefault login anonymous\n',
  );
});
