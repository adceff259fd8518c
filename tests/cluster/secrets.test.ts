import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing, startKubernetesApi } from '@flywheel/testing';
import type { ControlPlane } from '@flywheel/testing';
import { NAMESPACE, secretsCommands } from './secrets-commands.ts';
import type { SecretsCommands } from './secrets-commands.ts';

const found = await startKubernetesApi();

const BACKUPS = {
  FLYWHEEL_SECRET_BACKUPS_ACCESS_KEY_ID: 'backup-user',
  FLYWHEEL_SECRET_BACKUPS_SECRET_ACCESS_KEY: 'backup-password',
};
const NAMES = [
  'flywheel-cache-keys',
  'flywheel-cache-database',
  'flywheel-cache-storage',
  'flywheel-minio-root',
  'flywheel-backups',
];

describe('flywheel secrets, with a real API server', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else declare(found);
});

function declare(plane: ControlPlane): void {
  let commands: SecretsCommands;
  beforeAll(async () => {
    commands = await secretsCommands(plane);
    await commands.organization();
  });
  afterAll(async () => {
    await commands[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test('a dry run names what would be made and what is missing, and writes nothing', async () => {
    const { stdout, status } = await commands.run(['secrets', 'sync', '--dry-run']);

    expect(status).toBe(1);
    expect(stdout).toContain('Environment test, context flywheel-test\n');
    expect(stdout).toMatch(
      /flywheel-cache-storage +would be made +access-key-id \(generated\), secret-access-key \(generated\)\n/,
    );
    expect(stdout).toContain(
      'flywheel-backups lacks access-key-id, secret-access-key: credentials of the bucket of backups.\n' +
        '  Set FLYWHEEL_SECRET_BACKUPS_ACCESS_KEY_ID, FLYWHEEL_SECRET_BACKUPS_SECRET_ACCESS_KEY,',
    );
    const namespaces = await plane.kubectl(['get', 'namespace', NAMESPACE]);
    expect(namespaces.status).toBe(1);
  });

  test('sync makes everything, shows no value, and writes nothing the second time', async () => {
    const first = await commands.run(['secrets', 'sync'], BACKUPS);
    expect(first.stderr).toBe('');
    expect(first.stdout).toContain('\n5 written.\n');
    expect(first.status).toBe(0);

    const values = await Promise.all(NAMES.map((name) => commands.secret(name)));
    for (const value of values.flatMap((entries) => Object.values(entries ?? {}))) {
      if (value !== 'flywheel') expect(first.stdout).not.toContain(value);
    }
    const [keys, database, storage, root, backups] = values;
    expect(Object.keys(keys ?? {})).toEqual([
      expect.stringMatching(/^key-\d{8}T\d{6}Z-[\w-]{6}\.jwk$/),
    ]);
    expect(Object.keys(storage ?? {})).toEqual(['access-key-id', 'secret-access-key']);
    expect(Object.keys(root ?? {})).toEqual(['MINIO_ROOT_PASSWORD', 'MINIO_ROOT_USER']);
    expect(backups).toEqual({
      'access-key-id': 'backup-user',
      'secret-access-key': 'backup-password',
    });
    expect(database).toEqual({
      username: 'flywheel',
      password: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
      url: `postgresql://flywheel:${database?.['password']}@attic-db-rw.flywheel-cache.svc:5432/flywheel`,
    });

    const before = await Promise.all(NAMES.map((name) => commands.resourceVersion(name)));
    const second = await commands.run(['secrets', 'sync'], BACKUPS);
    expect(second.stdout).toContain('\nEverything is there: nothing to write.\n');
    expect(await Promise.all(NAMES.map((name) => commands.resourceVersion(name)))).toEqual(before);
    // What is there needs no environment.
    expect((await commands.run(['secrets', 'sync'])).status).toBe(0);
  });

  test('written by server-side apply, with labels that say by whom', async () => {
    const { stdout } = await plane.kubectl([
      'get',
      'secret',
      'flywheel-cache-database',
      '-n',
      NAMESPACE,
      '-o',
      'json',
      '--show-managed-fields',
    ]);
    const { metadata, type } = JSON.parse(stdout) as {
      readonly type: string;
      readonly metadata: {
        readonly labels: object;
        readonly managedFields: readonly { readonly manager: string; readonly operation: string }[];
      };
    };

    expect(type).toBe('kubernetes.io/basic-auth');
    expect(metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'flywheel',
      'app.kubernetes.io/part-of': 'glorious-flywheel',
      'cnpg.io/reload': 'true',
    });
    expect(metadata.managedFields).toMatchObject([{ manager: 'flywheel', operation: 'Apply' }]);
  });

  test('the namespace carries nothing, so that a module takes it over', async () => {
    const taken = await commands.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, labels: { 'app.kubernetes.io/managed-by': 'opentofu' } },
    });
    expect(taken.status, taken.stderr).toBe(0);
  });

  test('what somebody else keeps is never written, whatever is given', async () => {
    await plane.kubectl(['delete', 'secret', 'flywheel-backups', '-n', NAMESPACE]);
    const data = { 'access-key-id': 'Zm9yZWlnbg==' };
    const foreign = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'flywheel-backups',
        namespace: NAMESPACE,
        labels: { 'app.kubernetes.io/managed-by': 'external-secrets' },
      },
    };
    await commands.apply({ ...foreign, data });

    const lacking = await commands.run(['secrets', 'sync'], BACKUPS);
    expect(lacking.status).toBe(1);
    expect(lacking.stdout).toContain(
      'flywheel-backups lacks secret-access-key: credentials of the bucket of backups.\n' +
        '  It belongs to external-secrets and is never changed here: add them there.\n',
    );

    await commands.apply({ ...foreign, data: { ...data, 'secret-access-key': 'a2V5' } });
    const whole = await commands.run(['secrets', 'sync'], BACKUPS);
    expect(whole.status).toBe(0);
    expect(whole.stdout).toMatch(/flywheel-backups +complete, kept by external-secrets/);
    expect(await commands.secret('flywheel-backups')).toEqual({
      'access-key-id': 'foreign',
      'secret-access-key': 'key',
    });
    const refused = await commands.run(['secrets', 'rotate', 'backups']);
    expect(refused.status).toBe(13);
  });

  test('files give values too, and what flywheel wrote changes with them', async () => {
    await commands.write('from/flywheel-minio-root/MINIO_ROOT_USER', 'administrator\n');
    const file = await commands.write('password', 'from-a-file\n');
    const env = { FLYWHEEL_SECRET_MINIO_ROOT_PASSWORD_FILE: file };

    const { stdout } = await commands.run(['secrets', 'sync', '--from', 'from', '--json'], env);

    const { secrets } = JSON.parse(stdout) as { secrets: readonly { role: string }[] };
    expect(secrets.find(({ role }) => role === 'minioRoot')).toEqual({
      role: 'minioRoot',
      name: 'flywheel-minio-root',
      namespace: NAMESPACE,
      what: 'administrator of MinIO',
      state: 'change',
      keeper: 'flywheel',
      entries: [
        { key: 'MINIO_ROOT_USER', origin: 'given' },
        { key: 'MINIO_ROOT_PASSWORD', origin: 'given' },
      ],
    });
    expect(await commands.secret('flywheel-minio-root')).toEqual({
      MINIO_ROOT_USER: 'administrator',
      MINIO_ROOT_PASSWORD: 'from-a-file',
    });
  });

  test('an entry that somebody took over by hand is not overwritten', async () => {
    await plane.kubectl([
      'patch',
      'secret',
      'flywheel-minio-root',
      '-n',
      NAMESPACE,
      '--field-manager=by-hand',
      '--type=merge',
      '-p',
      '{"stringData":{"MINIO_ROOT_USER":"mine"}}',
    ]);

    const { status, stderr } = await commands.run(['secrets', 'sync'], {
      FLYWHEEL_SECRET_MINIO_ROOT_USER: 'theirs',
    });

    expect(status).toBe(9);
    expect(stderr).toContain('conflict with "by-hand"');
    expect((await commands.secret('flywheel-minio-root'))?.['MINIO_ROOT_USER']).toBe('mine');
  });

  test('no other context than that of the environment is ever used', async () => {
    await commands.organization({ 'environments.test.context': 'elsewhere' });
    const { status, stderr } = await commands.run(['secrets', 'sync']);
    await commands.organization();

    expect(status).toBe(4);
    expect(stderr).toContain('Error: no kubeconfig has the context "elsewhere"\n');
    expect(stderr).toContain('has: flywheel-test.');
  });
}
