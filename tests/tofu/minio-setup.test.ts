import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isMissing, minioClient, runChild, startMinio, startTofu } from '@flywheel/testing';
import type { RunResult, S3Server, Tofu } from '@flywheel/testing';
import { MODULES } from './module-folders.ts';
import { plannedManifests } from './planned-manifests.ts';

// The client has words of its own for the one or the other command.
const DENIED = /Access Denied|Insufficient permissions/;

const [tofu, client, minio] = [await startTofu(MODULES), await minioClient(), await startMinio()];

describe('the Job that makes buckets and users', () => {
  if (isMissing(tofu)) test('all of it', ({ skip }) => skip(tofu.missing));
  else if (typeof client !== 'string') test('all of it', ({ skip }) => skip(client.missing));
  else if (isMissing(minio)) test('all of it', ({ skip }) => skip(minio.missing));
  else declare(tofu, client, minio);
});

function declare(planner: Tofu, mc: string, server: S3Server): void {
  afterAll(async () => {
    await planner[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test('gives each consumer its buckets and no more, however often it runs', async () => {
    await using job = await prepareJob(planner, mc, server);
    const file = await job.write('file', 'bytes');

    for (const _run of ['first', 'again']) {
      const run = await job.run();
      expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
    }

    const as = (user: string, ...args: string[]): Promise<RunResult> => job.mc(user, args);
    expect((await as('cache', 'cp', file, 'as/nix-cache/a')).status).toBe(0);
    expect((await as('cache', 'cat', 'as/nix-cache/a')).stdout).toBe('bytes');
    expect((await as('cache', 'cp', file, 'as/runners/a')).stderr).toMatch(DENIED);
    expect((await as('inventory', 'cat', 'as/nix-cache/a')).stdout).toBe('bytes');
    expect((await as('inventory', 'rm', 'as/nix-cache/a')).stderr).toMatch(DENIED);
    expect((await as('runners', 'cat', 'as/nix-cache/a')).stderr).toMatch(DENIED);
  });

  test('is another one when the Secrets are said to have changed', async () => {
    const jobOf = async (revision: string): Promise<string | undefined> => {
      const values = ['-var-file=examples/minimal.tfvars', `-var=credentials_revision=${revision}`];
      const planned = await plannedManifests(planner, 'minio', values);
      return planned.find(({ kind }) => kind === 'Job')?.metadata.name;
    };

    const first = await jobOf('1');
    expect(first).toMatch(/^minio-setup-[0-9a-f]{10}$/);
    expect(await jobOf('1')).toBe(first);
    expect(await jobOf('2')).not.toBe(first);
  });

  test('takes up a changed secret key, and says which Secret is empty', async () => {
    await using job = await prepareJob(planner, mc, server);
    await job.run();

    await job.write('secrets/cache/secret-key', 'another-secret-key');
    expect((await job.run()).status).toBe(0);
    expect((await job.mc('cache', ['ls', 'as/nix-cache'], 'another-secret-key')).status).toBe(0);

    const empty = await job.write('secrets/runners/access-key', '');
    const run = await job.run();
    expect(run.status).toBe(1);
    expect(run.stderr).toBe(`${empty} is empty\n`);
  });
}

interface Job extends AsyncDisposable {
  run(): Promise<RunResult>;
  /** Runs the client as a consumer, whose server it calls `as`. */
  mc(user: string, args: readonly string[], secretKey?: string): Promise<RunResult>;
  write(path: string, text: string): Promise<string>;
}

/** The script and its files as the module plans them, with Secrets as the kubelet mounts them. */
async function prepareJob(planner: Tofu, mc: string, server: S3Server): Promise<Job> {
  const folder = await mkdtemp(join(tmpdir(), 'minio-setup-'));
  const write = async (path: string, text: string): Promise<string> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  const values = ['-var-file=examples/distributed.tfvars'];
  const planned = await plannedManifests(planner, 'minio', values);
  const files = planned.find(({ kind }) => kind === 'ConfigMap')?.['data'];
  for (const [name, text] of Object.entries(files as Record<string, string>)) {
    await write(`config/${name}`, text);
  }
  const root = server.env as Record<'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>;
  await write('secrets/root/user', root.AWS_ACCESS_KEY_ID);
  await write('secrets/root/password', root.AWS_SECRET_ACCESS_KEY);
  for (const consumer of ['cache', 'runners', 'inventory']) {
    await write(`secrets/${consumer}/access-key`, `${consumer}-user`);
    // With and without a newline at the end: people make Secrets from files.
    await write(`secrets/${consumer}/secret-key`, `${consumer}-secret-key\n`);
  }
  const env = {
    PATH: `${dirname(mc)}:/usr/bin:/bin`,
    HOME: folder,
    MINIO_URL: server.endpoint,
    CONFIG: join(folder, 'config'),
    SECRETS: join(folder, 'secrets'),
    MC_CONFIG_DIR: join(folder, 'mc'),
  };
  return {
    write,
    run: () => runChild(['/bin/sh', join(folder, 'config/setup.sh')], { env }),
    mc: (user, args, secretKey = `${user}-secret-key`) => {
      const host = server.endpoint.replace('://', `://${user}-user:${secretKey}@`);
      return runChild([mc, ...args], { env: { ...env, MC_HOST_as: host } });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
