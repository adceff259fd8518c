import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../app.ts';
import { createTestContext } from '../test-context.ts';
import { layCheckout } from '../wheel/test-checkout.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-up-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** The small checkout, its program where that of the real one is. */
async function layRoot(): Promise<{ root: string; node: string }> {
  const root = join(folder, 'checkout');
  const { node } = await layCheckout(root);
  await symlink('main', join(root, 'packages', 'flywheel'));
  return { root, node };
}

const ARGS = ['up', '--data', 'data', '--listen', '127.0.0.1:0'];

test('it shows the turn on its status page, keeps running, and ends well', async () => {
  const { context, stdout, interrupt } = createTestContext({ ...(await layRoot()), cwd: folder });
  const running = runCli(ARGS, context);
  await expect.poll(stdout, { timeout: 10_000 }).toContain('It keeps running');
  const url = /http:\S+/.exec(stdout())?.[0] ?? '';
  const status = (await (await fetch(`${url}_status.json`)).json()) as {
    last_turn: { ok: boolean; lines: readonly string[] };
  };
  expect(status.last_turn.ok).toBe(true);
  expect(status.last_turn.lines[3]).toBe('already there: 0 paths');
  expect(stdout()).toContain('The wheel has turned once:\n');
  interrupt();
  expect(await running).toBe(0);
}, 20_000);

test('a turn that fails is told, and ends --once with 1', async () => {
  const root = join(folder, 'empty');
  await mkdir(join(root, 'packages', 'flywheel'), { recursive: true });
  const { context, stdout, stderr } = createTestContext({
    root,
    node: process.execPath,
    cwd: folder,
  });
  expect(await runCli([...ARGS, '--once'], context)).toBe(1);
  expect(stdout()).toContain('The wheel could not turn:\n');
  expect(stdout()).toContain('extra-substituters = ');
  expect(stderr()).toContain(`Error: cannot read ${root}/packages/flywheel/package.json: ENOENT`);
  expect(stderr()).toContain(
    '  Remove node_modules and start ./flywheel again: it installs them.\n',
  );
});

test('a data directory that cannot be is one error, before anything is made', async () => {
  await writeFile(join(folder, 'data'), 'mine');
  const { context, stdout, stderr } = createTestContext({ root: folder, cwd: folder });
  expect(await runCli(ARGS, context)).toBe(3);
  expect(stdout()).toBe('');
  expect(stderr()).toBe(
    `Error: ${folder}/data is a file\n` +
      '  Move that file away, or choose another directory with --data DIR.\n',
  );
  expect(await readFile(join(folder, 'data'), 'utf8')).toBe('mine');
});

test('an interruption in the middle of the turn ends it at once', async () => {
  const { context, stdout, stderr, interrupt } = createTestContext({
    ...(await layRoot()),
    cwd: folder,
  });
  const running = runCli(ARGS, context);
  await expect.poll(stdout).toContain('Data: ');
  interrupt();
  expect(await running).toBe(130);
  expect(stderr()).toMatch(/Interrupted\.\n$/);
});
