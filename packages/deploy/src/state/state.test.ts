import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Organization } from '@flywheel/organization';
import { startGitlabState } from '@flywheel/testing';
import type { GitlabState } from '@flywheel/testing';
import { findTofu } from '../tofu/find-tofu.ts';
import { backendEnvironment, backendOverride, gitlabBackend } from './backend.ts';
import type { GitlabBackend } from './backend.ts';
import { encryptionEnvironment } from './encryption.ts';
import { readKnownState, stateProblem, writeKnownState } from './known-state.ts';
import { holderInDiagnostic, lockHolder } from './lock.ts';
import { readState } from './read-state.ts';

const TOKEN = 'glpat-canary';
const STATE = {
  version: 4,
  serial: 7,
  lineage: 'l',
  resources: [
    { mode: 'managed', instances: [{}, {}] },
    { mode: 'data', instances: [{}] },
  ],
};

function organization(url: string, id = 2002): Organization {
  const gitlab = { url, deployProject: { id, path: 'acme/infrastructure' } };
  return { gitlab } as unknown as Organization;
}

describe('where a state is', () => {
  const acme = organization('https://gitlab.example.org/');

  test('address and credentials reach tofu by its environment, and no file', () => {
    const backend = gitlabBackend(acme, 'production-attic', { TF_HTTP_PASSWORD: TOKEN });
    const address =
      'https://gitlab.example.org/api/v4/projects/2002/terraform/state/production-attic';
    expect(backendEnvironment(backend)).toEqual({
      TF_HTTP_ADDRESS: address,
      TF_HTTP_LOCK_ADDRESS: `${address}/lock`,
      TF_HTTP_UNLOCK_ADDRESS: `${address}/lock`,
      TF_HTTP_UPDATE_METHOD: 'POST',
      TF_HTTP_LOCK_METHOD: 'POST',
      TF_HTTP_UNLOCK_METHOD: 'DELETE',
      TF_HTTP_USERNAME: 'flywheel',
      TF_HTTP_PASSWORD: TOKEN,
    });
    expect(backendOverride(backend)).toBe('terraform {\n  backend "http" {}\n}\n');
  });

  test('the token of a job stands in where there is no other', () => {
    const job = { CI_JOB_TOKEN: 'job', TF_HTTP_PASSWORD: '' };
    expect(gitlabBackend(acme, 'a', job)).toMatchObject({
      username: 'gitlab-ci-token',
      password: 'job',
    });
    expect(gitlabBackend(acme, 'a', { ...job, TF_HTTP_PASSWORD: 'own' }).password).toBe('own');
  });

  test('without any, the variable is named', () => {
    expect(() => gitlabBackend(acme, 'a', {})).toThrow('TF_HTTP_PASSWORD is not set');
  });
});

describe('what GitLab answers', () => {
  let gitlab: GitlabState;
  let backend: GitlabBackend;
  beforeAll(async () => {
    gitlab = await startGitlabState({ projectId: 2002, token: TOKEN });
    backend = gitlabBackend(organization(gitlab.url), 'attic', { TF_HTTP_PASSWORD: TOKEN });
  });
  beforeEach(() => gitlab.replace('attic', JSON.stringify(STATE)));
  afterAll(() => gitlab[Symbol.asyncDispose]());

  test('a state is known by lineage, serial and size', async () => {
    expect(await readState(backend)).toEqual({
      lineage: 'l',
      serial: 7,
      objects: 2,
      encrypted: false,
    });
    const { resources: _resources, ...rest } = STATE;
    gitlab.replace('attic', JSON.stringify({ ...rest, encrypted_data: 'x' }));
    expect(await readState(backend)).toEqual({ lineage: 'l', serial: 7, encrypted: true });
  });

  test.each([
    [204, ''],
    [404, '{"message":"404 Terraform::State Not Found"}'],
  ])('there is none yet: %s %s', async (status, body) => {
    gitlab.fail({ method: 'GET', path: 'attic', status, body });
    expect(await readState(backend)).toBeUndefined();
  });

  test.each([
    [200, '', 'unavailable'],
    [200, '{}', 'corrupt'],
    [401, '', 'unauthorized'],
    [403, '', 'forbidden'],
    [404, '{"message":"404 Project Not Found"}', 'not-found'],
    [502, '<html>', 'unavailable'],
  ])('everything else is an error: %s %s', async (status, body, code) => {
    gitlab.fail({ method: 'GET', path: 'attic', status, body });
    await expect(readState(backend)).rejects.toMatchObject({ code });
  });

  test('a server that is not there is named, the token is not', async () => {
    const gone = { ...backend, address: 'http://127.0.0.1:1/state/attic' };
    const error = (await readState(gone).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({
      code: 'unavailable',
      details: { hint: 'Nothing was changed. Is GitLab at http://127.0.0.1:1 reachable?' },
    });
    expect(JSON.stringify([error.message, error])).not.toContain(TOKEN);
  });

  test('who only asks for the holder of a lock leaves it as it was', async () => {
    expect(await lockHolder(backend, 'mine')).toBeUndefined();
    expect(gitlab.lockOf('attic')).toBeUndefined();
    const lock = {
      ID: 'id',
      Who: 'ada@laptop',
      Operation: 'OperationTypePlan',
      Created: '2026-11-23T08:00:00Z',
    };
    gitlab.lock('attic', lock);
    expect(await lockHolder(backend, 'mine')).toEqual({
      id: 'id',
      who: 'ada@laptop',
      operation: 'plan',
      created: '2026-11-23T08:00:00Z',
    });
    expect(gitlab.lockOf('attic')).toEqual(lock);
  });
});

test('the holder is read from what tofu prints', () => {
  const detail = `Lock Info:
  ID:        3f1b7c5e-9d0a-4a58-8f6e-0d2b6f6f1c11
  Path:
  Operation: OperationTypeApply
  Who:       ada@laptop
  Version:   1.12.6
  Created:   2026-11-23 08:00:00.5 +0000 UTC
  Info:      `;
  expect(holderInDiagnostic(detail)).toEqual({
    id: '3f1b7c5e-9d0a-4a58-8f6e-0d2b6f6f1c11',
    who: 'ada@laptop',
    operation: 'apply',
    created: '2026-11-23T08:00:00Z',
  });
  expect(holderInDiagnostic('connection refused')).toBeUndefined();
});

describe('what is known of a state', () => {
  const known = { lineage: 'l', serial: 7, objects: 2 };
  const now = { ...known, encrypted: false };

  test.each([
    ['it is the same', now],
    ['it was written', { ...now, serial: 8, objects: 1 }],
    ['it was encrypted', { lineage: 'l', serial: 8, encrypted: true }],
  ])('all is well when %s', (_what, state) => {
    expect(stateProblem('attic', state, known)).toBeUndefined();
  });

  test.each([
    ['it is gone', undefined, 'is empty, and the last known one was not (2 objects, serial 7)'],
    ['nothing is in it', { ...now, serial: 8, objects: 0 }, 'is empty'],
    ['it is another', { ...now, lineage: 'm' }, 'is another than the last known one'],
    ['it is older', { ...now, serial: 6 }, 'is older, serial 6, than the last known'],
  ])('nothing is done when %s', (_what, state, message) => {
    expect(stateProblem('attic', state, known)?.message).toContain(message);
  });

  test('one that was emptied may be gone, and one that nobody knew may be anything', () => {
    expect(stateProblem('attic', undefined, { ...known, objects: 0 })).toBeUndefined();
    expect(stateProblem('attic', undefined, undefined)).toBeUndefined();
  });

  test('it is remembered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'known-'));
    const file = join(folder, 'a/known-state.json');
    expect(await readKnownState(file)).toBeUndefined();
    await writeKnownState(file, now);
    expect(await readKnownState(file)).toEqual(known);
    writeFileSync(file, '{');
    await expect(readKnownState(file)).rejects.toMatchObject({ code: 'corrupt' });
    rmSync(folder, { recursive: true });
  });
});

describe('encryption', () => {
  const plain = { lineage: 'l', serial: 1, objects: 1, encrypted: false };

  test('nothing is said of it without a pass phrase', () => {
    expect(encryptionEnvironment({}, plain)).toEqual({});
  });

  test('a state in the clear may be read until it is encrypted', () => {
    const env = { FLYWHEEL_STATE_PASSPHRASE: 'a "${b}" %{c} \\ $d 0123456789' };
    const { TF_ENCRYPTION: before } = encryptionEnvironment(env, plain);
    expect(before).toContain('passphrase = "a \\"$${b}\\" %%{c} \\\\ $d 0123456789"');
    expect(before).toContain('method = method.unencrypted.before');
    for (const state of [{ ...plain, encrypted: true }, undefined]) {
      expect(encryptionEnvironment(env, state)['TF_ENCRYPTION']).not.toContain('unencrypted');
    }
  });

  test('OpenTofu’s own variable counts alone', () => {
    const env = { FLYWHEEL_STATE_PASSPHRASE: 'x', TF_ENCRYPTION: 'state {}' };
    expect(encryptionEnvironment(env, plain)).toEqual({ TF_ENCRYPTION: 'state {}' });
  });

  test('a pass phrase over several lines is refused', () => {
    expect(() => encryptionEnvironment({ FLYWHEEL_STATE_PASSPHRASE: 'a\nb' }, plain)).toThrow(
      'FLYWHEEL_STATE_PASSPHRASE has control characters in it',
    );
  });
});

describe('the program', () => {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'tofu-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is FLYWHEEL_TOFU, else on the PATH', () => {
    const file = join(folder, 'tofu');
    writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
    expect(findTofu({ PATH: `/nonexistent:${folder}` })).toBe(file);
    expect(findTofu({ PATH: '/nonexistent', FLYWHEEL_TOFU: file })).toBe(file);
  });

  test('that is missing, or cannot be run, is an error that says where it comes from', () => {
    writeFileSync(join(folder, 'tofu'), '', { mode: 0o644 });
    expect(() => findTofu({ PATH: folder })).toThrow('there is no tofu (OpenTofu) on the PATH');
    expect(() => findTofu({ PATH: '', FLYWHEEL_TOFU: folder })).toThrow('which is no program');
  });
});
