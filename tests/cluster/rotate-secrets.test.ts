import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  isMissing,
  minioClient,
  runChild,
  startKubernetesApi,
  startMinio,
  startTofu,
} from '@flywheel/testing';
import type { ControlPlane, S3Server, Tofu } from '@flywheel/testing';
import { MODULES } from '../tofu/module-folders.ts';
import { plannedManifests } from '../tofu/planned-manifests.ts';
import { playKubelet } from './kubelet-double.ts';
import { NAMESPACE, secretsCommands } from './secrets-commands.ts';
import type { SecretsCommands } from './secrets-commands.ts';

const [plane, tofu, client, minio] = [
  await startKubernetesApi(),
  await startTofu(MODULES),
  await minioClient(),
  await startMinio(),
];

describe('flywheel secrets rotate, with a real API server and a real MinIO', () => {
  if (isMissing(plane)) test('all of it', ({ skip }) => skip(plane.missing));
  else if (isMissing(tofu)) test('all of it', ({ skip }) => skip(tofu.missing));
  else if (typeof client !== 'string') test('all of it', ({ skip }) => skip(client.missing));
  else if (isMissing(minio)) test('all of it', ({ skip }) => skip(minio.missing));
  else declare(plane, tofu, client, minio);
});

function declare(plane: ControlPlane, tofu: Tofu, mc: string, server: S3Server): void {
  let commands: SecretsCommands;
  const kubeletEnv = { PATH: `${dirname(mc)}:/usr/bin:/bin`, MINIO_URL: server.endpoint };
  beforeAll(async () => {
    commands = await secretsCommands(plane);
    await commands.organization({ 'cache.backups': { enabled: false } });
    const from = 'from/flywheel-minio-root';
    await commands.write(`${from}/MINIO_ROOT_USER`, server.env['AWS_ACCESS_KEY_ID'] ?? '');
    await commands.write(`${from}/MINIO_ROOT_PASSWORD`, server.env['AWS_SECRET_ACCESS_KEY'] ?? '');
    const { status, stderr } = await commands.run(['secrets', 'sync', '--from', 'from']);
    expect(status, stderr).toBe(0);
  });
  afterAll(async () => {
    await commands[Symbol.asyncDispose]();
    for (const engine of [plane, tofu, server]) await engine[Symbol.asyncDispose]();
  });

  /** Whether MinIO lets these credentials list the bucket. */
  async function isGood(credentials: Readonly<Record<string, string>>): Promise<boolean> {
    const user = `${credentials['access-key-id']}:${credentials['secret-access-key']}`;
    const host = server.endpoint.replace('://', `://${user}@`);
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: '/nonexistent',
      MC_HOST_as: host,
      MC_CONFIG_DIR: '/tmp/mc-none',
    };
    return (await runChild([mc, 'ls', 'as/flywheel-cache'], { env })).status === 0;
  }

  test('a key of tokens verifies first and signs later, and nothing goes that was there', async () => {
    const [old = ''] = Object.keys((await commands.secret('flywheel-cache-keys')) ?? {});
    // Names tell seconds.
    await sleep(1100);

    const first = await commands.run(['secrets', 'rotate', 'cacheKeys', '--wait', '0s']);

    expect(first.status, first.stderr).toBe(0);
    const names = Object.keys((await commands.secret('flywheel-cache-keys')) ?? {}).toSorted();
    const [, fresh = ''] = names;
    expect(names).toEqual([old, fresh]);
    expect(fresh).toMatch(/\.jwk$/);
    expect(first.stdout).toContain(`${fresh} signs.\n`);
    expect(first.stderr).toContain(`Adding ${fresh}, which verifies and does not sign yet …\n`);

    const removed = await commands.run(['secrets', 'rotate', 'cacheKeys', '--remove', old]);
    expect(removed.status).toBe(0);
    expect(Object.keys((await commands.secret('flywheel-cache-keys')) ?? {})).toEqual([fresh]);
    const last = await commands.run(['secrets', 'rotate', 'cacheKeys', '--remove', fresh]);
    expect(last.status).toBe(9);
  });

  test('an interrupted rotation goes on with the key that it has added', async () => {
    await sleep(1100);
    const waiting = commands.start(['secrets', 'rotate', 'cacheKeys', '--wait', '1h']);
    const pending = async (): Promise<string | undefined> =>
      Object.keys((await commands.secret('flywheel-cache-keys')) ?? {}).find((name) =>
        name.endsWith('.verify'),
      );
    await expect.poll(pending, { timeout: 20_000 }).toBeDefined();
    const added = (await pending()) ?? '';
    expect(await waiting.stop()).toBe(143);

    const { stdout } = await commands.run(['secrets', 'rotate', 'cacheKeys', '--wait', '0s']);

    expect(stdout).toContain(`${added.replace('.verify', '')} signs.\n`);
    expect(await pending()).toBeUndefined();
  });

  test('a user of MinIO is replaced while pods of both are good, then goes', async () => {
    await deployObjectStore();
    const old = (await commands.secret('flywheel-cache-storage')) ?? {};
    const goodWhileReplaced: boolean[] = [];
    await using _ = playKubelet(plane, {
      namespace: NAMESPACE,
      env: kubeletEnv,
      async onReady() {
        const current = (await commands.secret('flywheel-cache-storage')) ?? {};
        goodWhileReplaced.push((await isGood(old)) && (await isGood(current)));
      },
    });
    await expect.poll(() => isGood(old), { timeout: 60_000 }).toBe(true);
    const ready = ['rollout', 'status', 'deployment/attic-api', '-n', NAMESPACE, '--timeout=60s'];
    expect((await plane.kubectl(ready)).status).toBe(0);
    // Pods of before the first user was made.
    goodWhileReplaced.length = 0;

    const dry = await commands.run(['secrets', 'rotate', 'cacheStorage', '--dry-run']);
    expect(dry.stdout).toContain('\nReplaced: Deployment attic-api.\n');
    const { status, stderr } = await commands.run(['secrets', 'rotate', 'cacheStorage']);

    expect(status, stderr).toBe(0);
    const fresh = (await commands.secret('flywheel-cache-storage')) ?? {};
    expect(Object.keys(fresh)).toEqual(['access-key-id', 'secret-access-key']);
    expect(fresh['access-key-id']).not.toBe(old['access-key-id']);
    expect(goodWhileReplaced).toEqual([true, true]);
    expect(await isGood(fresh)).toBe(true);
    expect(await isGood(old)).toBe(false);
    expect(await commands.secret('flywheel-cache-storage-next')).toBeUndefined();
  });

  test('the password of a database that is not there yet stays', async () => {
    const old = await commands.secret('flywheel-cache-database');
    const without = await commands.run(['secrets', 'rotate', 'cacheDatabase']);
    expect(without.status).toBe(4);
    expect(without.stderr).toContain('no database has its password from Secret');
    expect(await commands.secret('flywheel-cache-database')).toEqual(old);
  });

  test('what comes from outside, and what stops MinIO, is refused with the way', async () => {
    const root = await commands.run(['secrets', 'rotate', 'minioRoot']);
    expect(root.status).toBe(3);
    expect(root.stderr).toContain('to rotate flywheel-minio-root, MinIO has to stop');
    expect(root.stderr).toContain('If that is fine now: --allow-outage.');
    const early = await commands.run(['secrets', 'rotate', 'minioRoot', '--allow-outage']);
    expect(early.status).toBe(4);
    expect(early.stderr).toContain('no server of MinIO reads Secret flywheel-minio-root');
    const unknown = await commands.run(['secrets', 'rotate', 'gitlab']);
    expect(unknown.status).toBe(4);
    expect(unknown.stderr).toContain(
      'There are: cacheKeys, cacheDatabase, cacheStorage, minioRoot.',
    );
  });

  /** The Job of the module as it is planned, and pods that read the Secret. */
  async function deployObjectStore(): Promise<void> {
    const values = {
      namespace: NAMESPACE,
      root_secret: { name: 'flywheel-minio-root' },
      buckets: { 'flywheel-cache': {} },
      consumers: {
        cache: {
          buckets: ['flywheel-cache'],
          secret: 'flywheel-cache-storage',
          access_key_id_key: 'access-key-id',
          secret_access_key_key: 'secret-access-key',
        },
      },
    };
    const file = await commands.write('minio.tfvars.json', JSON.stringify(values));
    const planned = await plannedManifests(tofu, 'minio', [`-var-file=${file}`]);
    const wanted = planned.filter(({ kind }) => kind === 'ConfigMap' || kind === 'Job');
    expect(wanted).toHaveLength(2);
    for (const object of wanted) expect((await commands.apply(object)).stderr).toBe('');
    const valueFrom = { secretKeyRef: { name: 'flywheel-cache-storage', key: 'access-key-id' } };
    const labels = { app: 'attic-api' };
    const deployment = await commands.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'attic-api', namespace: NAMESPACE },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              { name: 'api', image: 'cache:1', env: [{ name: 'AWS_ACCESS_KEY_ID', valueFrom }] },
            ],
          },
        },
      },
    });
    expect(deployment.status, deployment.stderr).toBe(0);
  }
}
