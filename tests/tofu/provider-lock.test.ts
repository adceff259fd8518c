import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing, startTofu } from '@flywheel/testing';
import type { RunResult, Tofu } from '@flywheel/testing';
import { makeWorkplace } from './flywheel-process.ts';
import type { Workplace } from './flywheel-process.ts';
import { MODULES } from './module-folders.ts';

const LOCK = 'config/app.lock.hcl';
const STACK = `
terraform {
  required_providers {
    kubectl = {
      source  = "alekc/kubectl"
      version = "2.1.3"
    }
  }
}
`;

const found = await startTofu(MODULES);

describe('the lock file of providers', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else declare(found);
});

function declare(tofu: Tofu): void {
  let place: Workplace;

  beforeEach(async () => {
    place = await makeWorkplace(tofu);
    await place.write('tofu/stacks/app/main.tf', STACK);
    await place.write('tofu/stacks/app/stack.yaml', 'description: Of one provider\n');
  });
  afterEach(() => place[Symbol.asyncDispose]());
  afterAll(() => tofu[Symbol.asyncDispose]());

  const plan = (env: Readonly<Record<string, string>> = {}): Promise<RunResult> =>
    place.flywheel(['plan', 'app', '--stacks', 'tofu/stacks', '--backend', 'local'], env);

  test('is written beside the organization by the first plan, and kept by all others', async () => {
    const first = await plan();
    expect(first.status, first.stderr).toBe(0);
    expect(first.stderr).toContain(`${LOCK} is new: it pins the providers. Commit it.\n`);
    const lock = await place.read(LOCK);
    expect(lock).toContain('provider "registry.opentofu.org/alekc/kubectl"');

    const second = await plan({ CI: 'true' });
    expect(second.status, second.stderr).toBe(0);
    expect(second.stderr).not.toContain(LOCK);
    expect(await place.read(LOCK)).toBe(lock);
  });

  test('is missed by a pipeline, which does not make one', async () => {
    const { status, stderr } = await plan({ CI: 'true' });

    expect(status, stderr).toBe(0);
    expect(stderr).toContain(`${LOCK} is missing: the providers of this run are not pinned.`);
    await expect(place.read(LOCK)).rejects.toThrow('ENOENT');
  });

  test.each([
    ['is of another version', /version\s+= "2\.1\.3"/, 'version = "2.1.2"'],
    ['has other bytes', /"h1:[^"]+"/, `"h1:${'A'.repeat(43)}="`],
  ])('stops a plan whose provider %s', async (_, from, to) => {
    await plan();
    const lock = await place.read(LOCK);
    expect(lock).toMatch(from);
    await place.write(LOCK, lock.replace(from, to).replace(/constraints.*\n/, ''));

    const { status, stderr } = await plan();

    expect(stderr).toContain('the providers of app are not those of its lock file');
    expect(status).toBe(9);
    expect(stderr).toContain('remove app.lock.hcl beside organization.yaml');
  });
}
