import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing, startKubernetesApi, startTofu } from '@flywheel/testing';
import type { ControlPlane, Tofu } from '@flywheel/testing';
import { MODULES } from '../tofu/module-folders.ts';
import { secretsCommands } from './secrets-commands.ts';
import type { SecretsCommands } from './secrets-commands.ts';

const [plane, tofu] = [await startKubernetesApi(), await startTofu(MODULES)];

describe('flywheel bootstrap, with a real API server and the real tofu', () => {
  if (isMissing(plane)) test('all of it', ({ skip }) => skip(plane.missing));
  else if (isMissing(tofu)) test('all of it', ({ skip }) => skip(tofu.missing));
  else declare(plane, tofu);
});

function declare(plane: ControlPlane, tofu: Tofu): void {
  let commands: SecretsCommands;
  beforeAll(async () => {
    commands = await secretsCommands(plane);
    // What it takes of a bare cluster: nothing but a class for the volumes and one for requests.
    await commands.organization({
      'cache.replicas': { min: 1, max: 1 },
      'cache.database': { engine: 'external' },
    });
    await stack('first', 'after: []\n');
    await stack('second', 'after: [first]\n');
    await commands.write('tofu/stacks/second/fault.tf', 'this is no HCL\n');
  });
  afterAll(async () => {
    await commands[Symbol.asyncDispose]();
    for (const engine of [plane, tofu]) await engine[Symbol.asyncDispose]();
  });

  /** A stack that needs no cluster. */
  async function stack(name: string, more: string): Promise<void> {
    const file = `tofu/stacks/${name}`;
    await commands.write(`${file}/stack.yaml`, `description: The ${name}\n${more}`);
    await commands.write(
      `${file}/main.tf`,
      `variable "organization_file" {\n  type = string\n}\nresource "terraform_data" "${name}" {}\n`,
    );
  }

  function bootstrap(words: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    const all = ['bootstrap', '--backend', 'local', '--stacks', 'tofu/stacks', ...words];
    return commands.run(all, { ...tofu.env, FLYWHEEL_TOFU: tofu.program, ...env });
  }

  test('it stops at what the cluster lacks, and has changed nothing', async () => {
    const { status, stdout } = await bootstrap();

    expect(status).toBe(1);
    expect(stdout).toContain('✘ Ingress class: there is no nginx\n');
    expect(stdout).toContain('\nMend what failed, and start again.\n');
    expect(await commands.secret('flywheel-cache-keys')).toBeUndefined();
  });

  test('then at what nobody has given', async () => {
    await plane.kubectl(['create', 'namespace', 'ingress-nginx']);
    const metadata = {
      name: 'standard',
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    };
    await commands.apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      provisioner: 'none',
      metadata,
    });
    await commands.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'nginx' },
      spec: { controller: 'k8s.io/ingress-nginx' },
    });

    const { status, stdout } = await bootstrap();

    expect(status).toBe(1);
    expect(stdout).toContain(
      'flywheel-cache-database lacks url: URL of the PostgreSQL database.\n',
    );
    expect(stdout).toContain('\nGive what is missing, and start again.\n');
    expect(await commands.secret('flywheel-cache-keys')).toBeUndefined();
  });

  test('then at each plan, until somebody has applied it', async () => {
    const url = 'postgresql://flywheel:canary@db.example.org/flywheel';
    const { status, stdout } = await bootstrap([], { FLYWHEEL_SECRET_CACHE_DATABASE_URL: url });

    expect(status).toBe(0);
    expect(stdout).toContain('+ terraform_data.first');
    expect(stdout).toContain('  ./flywheel apply first --environment test --backend local\n');
    expect(stdout).not.toContain('canary');
    expect(await commands.secret('flywheel-cache-database')).toEqual({ url });
  });

  test('with --yes it goes all the way, on from where a fault has stopped it', async () => {
    const stopped = await bootstrap(['--yes']);
    expect(stopped.status).not.toBe(0);
    expect(stopped.stderr).toContain('Apply first: 1 created');
    await rm(await commands.write('tofu/stacks/second/fault.tf', ''));

    const { status, stdout, stderr } = await bootstrap(['--yes']);

    expect(status, stderr).toBe(0);
    expect(stdout).not.toContain('+ terraform_data.first');
    expect(stdout).toContain('+ terraform_data.second');
    expect(stdout).toContain('\nEverything is deployed in test.\n');
    const again = await bootstrap(['--json']);
    expect(JSON.parse(again.stdout)).toEqual({ environment: 'test', done: true });
  });
}
