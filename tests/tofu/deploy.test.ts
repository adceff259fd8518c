import { once } from 'node:events';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing, startGitlabState, startTofu } from '@flywheel/testing';
import type { GitlabState, RunResult, Tofu } from '@flywheel/testing';
import { makeWorkplace } from './flywheel-process.ts';
import type { Workplace } from './flywheel-process.ts';
import { MODULES } from './module-folders.ts';
import { HIDDEN, writeScratchStacks } from './scratch-stacks.ts';

const TOKEN = 'glpat-canary-of-the-tests';
const PASSPHRASE = 'a pass phrase that nobody ${may} see';
const PROJECT = 2002;

const found = await startTofu(MODULES);

describe('plan and apply, with the state in GitLab', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else declare(found);
});

interface PlannedStack {
  readonly stack: string;
  readonly digest: string;
  readonly changed: boolean;
  readonly counts: Readonly<Record<'create' | 'update' | 'delete', number>>;
  readonly changes: readonly { readonly label: string; readonly fields: readonly unknown[] }[];
}

function declare(tofu: Tofu): void {
  let gitlab: GitlabState;
  let place: Workplace;
  const said: string[] = [];

  beforeEach(async () => {
    gitlab = await startGitlabState({ projectId: PROJECT, token: TOKEN });
    place = await makeWorkplace(tofu, {
      edit: (text) => text.replace('url: https://gitlab.com', `url: ${gitlab.url}`),
      env: { TF_HTTP_PASSWORD: TOKEN, TF_HTTP_RETRY_MAX: '0' },
    });
    await writeScratchStacks(place);
  });

  afterEach(async () => {
    const secrets = [TOKEN, HIDDEN, PASSPHRASE];
    const spoken = said.splice(0).join('');
    expect(secrets.filter((secret) => spoken.includes(secret))).toEqual([]);
    // Not even in what lies on this disk: tofu's own plan is the only thing that may hold a value.
    for (const file of filesBelow(place.folder)) {
      if (file.endsWith('.tfplan') || /\.(?:tf|tfstate)$/.test(file)) continue;
      const text = readFileSync(file, 'latin1');
      expect(
        secrets.filter((secret) => text.includes(secret)),
        file,
      ).toEqual([]);
    }
    await place[Symbol.asyncDispose]();
    await gitlab[Symbol.asyncDispose]();
  });

  afterAll(() => tofu[Symbol.asyncDispose]());

  async function run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<RunResult> {
    const result = await place.flywheel([...args, '--stacks', 'tofu/stacks'], env);
    said.push(result.stdout, result.stderr);
    return result;
  }

  async function succeed(args: readonly string[], env?: Readonly<Record<string, string>>) {
    const result = await run(args, env);
    expect(result.stderr + result.stdout).not.toMatch(/^Error:/m);
    expect(result.status).toBe(0);
    return result;
  }

  async function plan(...args: readonly string[]): Promise<readonly PlannedStack[]> {
    const { stdout } = await succeed(['plan', ...args, '--json']);
    return (JSON.parse(stdout) as { readonly stacks: readonly PlannedStack[] }).stacks;
  }

  test('all stacks are planned and applied in their order, and then there is nothing to do', async () => {
    const first = await plan('--all');
    expect(first.map(({ stack, counts }) => [stack, counts.create])).toEqual([
      ['base', 2],
      ['app', 1],
    ]);
    expect(gitlab.versions('production-base')).toHaveLength(0);

    const applied = await succeed(['apply', '--all']);
    expect(applied.stderr).toMatch(/terraform_data\.name: created in \d+ s/);
    expect(gitlab.versions('production-base').length).toBeGreaterThan(0);
    expect(gitlab.versions('production-app').length).toBeGreaterThan(0);
    expect(gitlab.lockOf('production-app')).toBeUndefined();

    const second = await plan('--all', '--check');
    expect(second.map(({ changed }) => changed)).toEqual([false, false]);
    expect((await succeed(['output', 'base'])).stdout).toBe(
      'name    acme\nsecret  (sensitive value)\n',
    );
    const listed = await succeed(['state', 'list', 'app']);
    expect(listed.stdout).toContain('module.part.terraform_data.part');
    const shown = await succeed(['state', 'show', 'base', 'terraform_data.secret']);
    expect(shown.stdout).toMatch(/input +\(sensitive value\)/);
  });

  test('a change is shown field by field, and ends --check with 1', async () => {
    await plan('app');
    await succeed(['apply', 'app']);
    await edit('tofu/stacks/app/main.tf', 'size   = 1', 'size   = 2');

    const checked = await run(['plan', 'app', '--check']);
    expect(checked.status).toBe(1);
    // Who only looks leaves no plan behind.
    expect((await run(['apply', 'app'])).status).toBe(4);
    expect(checked.stdout).toContain('app in production: 1 to change');
    expect(checked.stdout).toContain('input.size: 1 → 2');
  });

  async function edit(file: string, from: string, to: string): Promise<void> {
    const text = await place.read(file);
    expect(text).toContain(from);
    await place.write(file, text.replace(from, to));
  }

  test('without a token it says which one', async () => {
    const { status, stderr } = await run(['plan', 'app'], { TF_HTTP_PASSWORD: '' });
    expect(status).toBe(6);
    expect(stderr).toContain('TF_HTTP_PASSWORD is not set');
    expect(gitlab.requests).toEqual([]);
  });

  test('in a pipeline, the token of the job is enough', async () => {
    const job = { TF_HTTP_PASSWORD: '', CI_JOB_TOKEN: TOKEN, CI: 'true' };
    expect((await succeed(['plan', 'app'], job)).stdout).toContain('1 to create');
    const refused = await run(['apply', 'app'], job);
    expect(refused.status).toBe(9);
    expect(refused.stderr).toContain('the state production-app is empty');
    await succeed(['apply', 'app', '--accept-state'], job);
    expect(gitlab.versions('production-app').length).toBeGreaterThan(0);
  });

  test('nothing is applied that was not planned', async () => {
    const { status, stderr } = await run(['apply', 'app']);
    expect(status).toBe(4);
    expect(stderr).toContain('there is no plan of app to apply');
  });

  test.each([
    [
      'the organization',
      'config/organization.yaml',
      'name: acme',
      'name: other',
      'base',
      'stacks/base/organization.json has changed',
    ],
    [
      'a module',
      'tofu/modules/part/main.tf',
      '{ size = var.size }',
      '{ size = 7 }',
      'app',
      'modules/part/main.tf has changed',
    ],
  ])('an apply refuses when %s has changed since', async (_what, file, from, to, stack, why) => {
    await plan(stack);
    await edit(file, from, to);
    const { status, stderr } = await run(['apply', stack]);
    expect(status).toBe(9);
    expect(stderr).toContain(why);
    expect(gitlab.versions(`production-${stack}`)).toHaveLength(0);
  });

  test('an apply refuses when the state was written since', async () => {
    await plan('app');
    await succeed(['apply', 'app']);
    await edit('tofu/stacks/app/main.tf', 'size   = 1', 'size   = 2');
    await plan('app');
    gitlab.replace('production-app', withSerial(gitlab, 'production-app', 99));

    const { status, stderr } = await run(['apply', 'app']);
    expect(status).toBe(9);
    expect(stderr).toMatch(/the state was written: serial \d+ → 99/);
  });

  test('a plan is applied once', async () => {
    await plan('app');
    await succeed(['apply', 'app']);
    expect((await run(['apply', 'app'])).status).toBe(4);
  });

  test('a held lock says who, since when and for what, and is taken away by its id', async () => {
    gitlab.lock('production-app', {
      ID: '3f1b7c5e-9d0a-4a58-8f6e-0d2b6f6f1c11',
      Operation: 'OperationTypeApply',
      Who: 'ada@laptop',
      Version: '1.12.6',
      Created: '2026-11-23T08:00:00Z',
      Info: '',
      Path: '',
    });

    const refused = await run(['plan', 'app']);
    expect(refused.status).toBe(9);
    expect(refused.stderr).toContain(
      'the state of app is locked by ada@laptop since 2026-11-23T08:00:00Z, for apply',
    );
    // Who only looks does not wait.
    expect((await run(['plan', 'app', '--check'])).stdout).toContain('1 to create');
    const asked = await succeed(['unlock', 'app']);
    expect(asked.stdout).toContain('locked by ada@laptop since 2026-11-23T08:00:00Z, for apply');
    expect((await run(['unlock', 'app', 'another'])).status).toBe(9);
    expect(gitlab.lockOf('production-app')).toBeDefined();
    await succeed(['unlock', 'app', '3f1b7c5e-9d0a-4a58-8f6e-0d2b6f6f1c11']);
    expect(gitlab.lockOf('production-app')).toBeUndefined();
    expect((await succeed(['unlock', 'app'])).stdout).toBe('The state of app is not locked.\n');
  });

  describe('with something applied', () => {
    beforeEach(async () => {
      await plan('app');
      await succeed(['apply', 'app']);
    });

    test.each([
      ['is lost', { status: 204 }, 9, /the state production-app is empty/],
      ['is of a project that the token may not see', project404(), 4, /no such project/],
      ['is unreadable', { status: 500 }, 12, /GitLab answered 500/],
      ['is an empty answer', { status: 200, body: '' }, 12, /answered 200 with nothing/],
      ['is cut', { status: 200, body: '{"version": 4, "ser' }, 10, /is not one of OpenTofu/],
    ])('nothing is planned when the state %s', async (_what, fault, status, message) => {
      const versions = gitlab.versions('production-app').length;
      gitlab.fail({ method: 'GET', path: 'production-app', ...fault });

      const refused = await run(['plan', 'app']);

      expect(refused.stderr).toMatch(message);
      expect(refused.status).toBe(status);
      expect(gitlab.versions('production-app')).toHaveLength(versions);
      expect((await run(['apply', 'app'])).status).toBe(4);
    });

    test('a state that only tofu sees as empty is not planned over', async () => {
      gitlab.fail({ method: 'GET', path: 'production-app', status: 204, after: 1 });
      const { status, stderr } = await run(['plan', 'app']);
      expect(stderr).toContain('production-app was there before, and empty while it was planned');
      expect(status).toBe(9);
      expect((await run(['apply', 'app'])).status).not.toBe(0);
    });

    test.each([
      ['another', { lineage: '00000000-0000-0000-0000-000000000000' }, /is another than the last/],
      ['an older', { serial: 0 }, /is older, serial 0, than the last known/],
    ])('%s state is refused, unless it is accepted', async (_what, change, message) => {
      const state = JSON.parse(gitlab.versions('production-app').at(-1) ?? '') as object;
      gitlab.replace('production-app', JSON.stringify({ ...state, ...change }));
      const refused = await run(['plan', 'app']);
      expect(refused.status).toBe(9);
      expect(refused.stderr).toMatch(message);
      expect((await succeed(['plan', 'app', '--accept-state'])).stdout).toContain('no changes');
    });

    test('what was made is destroyed when it is said twice', async () => {
      const shown = await succeed(['destroy', 'app']);
      expect(shown.stdout).toContain('app in production: 1 to destroy');
      expect(shown.stdout).toContain('Nothing is destroyed yet.');
      expect((await run(['apply', 'app'])).status).toBe(4);
      await succeed(['destroy', 'app', '--yes']);
      expect((await succeed(['state', 'list', 'app'])).stdout).toBe('The state of app is empty.\n');
      // An emptied state is known to be empty.
      expect((await plan('app'))[0]?.counts.create).toBe(1);
    });
  });

  test('a pass phrase encrypts a state that was in the clear, and from then on it is needed', async () => {
    await plan('base');
    await succeed(['apply', 'base']);
    expect(gitlab.versions('production-base').at(-1)).toContain(HIDDEN);
    const env = { FLYWHEEL_STATE_PASSPHRASE: PASSPHRASE };
    await edit('config/organization.yaml', 'name: acme', 'name: other');

    await succeed(['plan', 'base'], env);
    await succeed(['apply', 'base'], env);

    const stored = gitlab.versions('production-base').at(-1) ?? '';
    expect(stored).toContain('encrypted_data');
    expect(stored).not.toContain(HIDDEN);
    expect((await run(['output', 'base', 'name'])).status).not.toBe(0);
    expect((await succeed(['output', 'base', 'name'], env)).stdout).toBe('other\n');
  });

  test('an apply that fails half way says so, and its plan is spent', async () => {
    await place.write(
      'tofu/stacks/app/broken.tf',
      `resource "terraform_data" "broken" {
  depends_on = [module.part]
  provisioner "local-exec" {
    command = "echo no >&2; exit 3"
  }
}
`,
    );
    await plan('app');
    const failed = await run(['apply', 'app']);
    expect(failed.status).not.toBe(0);
    expect(failed.stderr).toContain('module.part.terraform_data.part: created');
    expect(failed.stderr).toMatch(/exit status 3/);
    expect(gitlab.lockOf('production-app')).toBeUndefined();
    expect((await run(['apply', 'app'])).status).toBe(4);
  });

  test('Ctrl-C lets OpenTofu end what it is at, and give the lock back', async () => {
    await place.write(
      'tofu/stacks/app/slow.tf',
      `resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch ${place.path('begun')}; sleep 3"
  }
}
`,
    );
    await plan('app');
    const applying = place.start(['apply', 'app', '--stacks', 'tofu/stacks']);
    const ended = once(applying, 'close');
    while (!existsSync(place.path('begun'))) await sleep(100);
    applying.kill('SIGINT');

    expect(await ended).toEqual([130, null]);
    expect(gitlab.lockOf('production-app')).toBeUndefined();
    expect(gitlab.versions('production-app').at(-1)).toContain('"slow"');
  });

  test('reports for a merge request', async () => {
    await succeed(['plan', '--all', '--report', 'reports']);
    expect(JSON.parse(await place.read('reports/gitlab.json'))).toEqual({
      create: 3,
      update: 0,
      delete: 0,
    });
    expect(await place.read('reports/plan.md')).toContain('| base | production | 2 to create |');
    expect(await place.read('reports/junit.xml')).toContain(
      '<testcase classname="production" name="base">',
    );
    expect(JSON.parse(await place.read('reports/plan.json'))).toHaveLength(2);
  });

  test('the whole state goes into a file of one owner, never to the terminal', async () => {
    await plan('base');
    await succeed(['apply', 'base']);
    await succeed(['state', 'pull', 'base', '--out', 'base.tfstate']);
    expect(await place.read('base.tfstate')).toContain('"lineage"');
    expect(statSync(place.path('base.tfstate')).mode & 0o777).toBe(0o600);
  });
}

function project404() {
  return { status: 404, body: '{"message":"404 Project Not Found"}' };
}

function withSerial(gitlab: GitlabState, name: string, serial: number): string {
  const state = JSON.parse(gitlab.versions(name).at(-1) ?? '') as object;
  return JSON.stringify({ ...state, serial });
}

function filesBelow(folder: string): readonly string[] {
  return globSync('**/{*,.*}', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
