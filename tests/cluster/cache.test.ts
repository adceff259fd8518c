import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { figure, isMissing, secondsSince } from '@flywheel/testing';
import {
  CacheClient,
  contentAddressed,
  narOfPath,
  pullPaths,
  pushPaths,
  unpackInto,
} from '@flywheel/client';
import type { PathSource } from '@flywheel/client';
import { parseStorePath, PublicKey } from '@flywheel/nix';
import { createCache } from '../store/attic-client.ts';
import { startSteadyLoad } from '../store/steady-load.ts';
import { deployedServer } from './deployed-server.ts';
import { HOST, NAMESPACE } from './deployment.ts';
import { openEntrance } from './entrance.ts';
import { IMAGES } from './images.ts';
import { declareAutoscaling } from './autoscaling.ts';
import { declareNetwork } from './network.ts';
import { runPipelineJob } from './pipeline-job.ts';
import { openSite } from './site.ts';
import type { CacheSite, Site } from './site.ts';

const found = await openSite();

describe('a cache that is deployed to a cluster', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else declare(found);
});

function declare(site: CacheSite): void {
  afterAll(() => site[Symbol.asyncDispose]());

  test('secrets are made before anything that reads them', async () => {
    await site.deployment.flywheel('secrets', 'sync');

    const made = await site.kubectl(
      'get',
      'secrets',
      '--output=jsonpath={.items[*].metadata.name}',
    );
    expect(made.split(' ')).toEqual([
      'flywheel-cache-database',
      'flywheel-cache-keys',
      'flywheel-cache-storage',
      'flywheel-minio-root',
    ]);
  });

  test('an apply ends when namespace, object store and cache are ready', async () => {
    const startedAt = performance.now();
    await site.deployment.apply();

    figure('the first plan and apply until all is ready', secondsSince(startedAt), 's', {
      max: 150,
    });
    const pods = await site.kubectl(
      'get',
      'pods',
      '--output=jsonpath={range .items[*]}{.metadata.labels.app\\.kubernetes\\.io/component} {.status.phase} {.status.containerStatuses[0].ready}{"\\n"}{end}',
    );
    expect(pods.trimEnd().split('\n').toSorted()).toEqual([
      'api Running true',
      'api Running true',
      'gc Running true',
      'migrate Succeeded false',
      'server Running true',
      'setup Succeeded false',
    ]);
    // Those of the cache were there before their bucket was, and have waited.
    const restarts = await site.kubectl(
      'get',
      'pods',
      '--selector=app.kubernetes.io/component in (api, gc, migrate)',
      '--output=jsonpath={.items[*].status.containerStatuses[0].restartCount}',
    );
    expect(restarts).toBe('0 0 0 0');
  });

  test('a start finds the sources of the image compiled', async () => {
    // As the server was started, so that other flags, or another user, are noticed.
    const script = `
      flags=$(tr '\\0' '\\n' < /proc/1/cmdline | sed -n '/main\\.ts$/q; /^--/p')
      exec /opt/flywheel/bin/node $flags --input-type=module --eval '
        await import("/opt/flywheel/packages/cache/src/server.ts");
        await import("/opt/flywheel/packages/cache/src/threads/thread.ts");
        const stripper = process.moduleLoadList.some((name) => name.includes("amaro"));
        console.log(process.execArgv.length, stripper);'`;
    const said = await site.kubectl('exec', 'deployment/attic-api', '--', 'sh', '-c', script);
    expect(said).toMatch(/^[1-9]\d* false\n$/);
  });

  test('a second plan has nothing to do', async () => {
    const startedAt = performance.now();
    const planned = await site.deployment.flywheel('plan', 'attic', '--check');
    figure('a plan without changes', secondsSince(startedAt), 's', { max: 15 });
    expect(planned.status).toBe(0);
  });

  test('a job in the cluster plans, and applies just that, as an account that may only look', async () => {
    const said = await runPipelineJob(
      site,
      `flywheel plan attic --check
       flywheel plan attic --report reports
       cat reports/gitlab.json
       # The job that applies has what is an artifact of the other, and no more.
       rm -r .flywheel/deploy/test/attic/tofu
       flywheel apply attic`,
    );

    expect(said.match(/^attic in test: no changes$/gm)).toHaveLength(2);
    expect(said).toContain('{"create":0,"update":0,"delete":0}');
    expect(said).toContain('there was nothing to change');
    expect(said).not.toContain('providers of this run are not pinned');
  });

  test('what is pushed comes back as it was', async () => {
    const server = await deployedServer(site);
    await createCache(server, 'team');
    // The cache names its public address, and clients go there.
    await using entrance = await openEntrance(site.kubernetes.hostAddress, HOST, server.url);
    const client = new CacheClient({
      endpoint: `https://${HOST}/`,
      cache: 'team',
      token: server.adminToken,
      agent: entrance.agent,
    });
    const folder = await mkdtemp(join(tmpdir(), 'cluster-push-'));
    try {
      const path = await makePath(folder);
      expect(await pushPaths({ client, paths: [path] })).toMatchObject({ failed: [] });

      const target = join(folder, 'pulled');
      await mkdir(target);
      const pulled = await pullPaths({
        client,
        hashes: [parseStorePath(path.storePath).hash],
        trustedKeys: [PublicKey.parse((await client.cacheConfig()).publicKey ?? '')],
        sink: unpackInto(target),
      });

      expect(pulled).toMatchObject({ failed: [], bytes: path.narSize });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("the password of MinIO's administrator changes, and nothing else does", async () => {
    const isGood = async (password: string): Promise<boolean> => {
      const script = `HOME=/tmp mc alias set own http://localhost:9000 "$MINIO_ROOT_USER" '${password}' >&2`;
      const words = ['exec', 'minio-0', `--namespace=${NAMESPACE}`, '--', 'sh', '-c', script];
      return (await site.kubernetes.kubectl(words)).status === 0;
    };
    const old = await rootPassword(site);
    expect(await isGood(old)).toBe(true);

    const rotated = await site.deployment.flywheel(
      'secrets',
      'rotate',
      'minioRoot',
      '--allow-outage',
      '--json',
    );

    const { outageMs } = JSON.parse(rotated.stdout) as { readonly outageMs: number };
    figure('MinIO away while its administrator is replaced', outageMs / 1000, 's', { max: 90 });
    const fresh = await rootPassword(site);
    expect(fresh).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(fresh).not.toBe(old);
    expect([await isGood(fresh), await isGood(old)]).toEqual([true, false]);
    // The cache has a user of its own: the load of the upgrade below pushes and pulls with it.
    await site.kubectl('rollout', 'status', 'deployment/attic-api', '--timeout=60s');
  });

  declareNetwork(site);

  test('an upgrade under load loses no request', async () => {
    const server = await deployedServer(site);
    await createCache(server, 'load');
    const load = await startSteadyLoad(server, 'load');

    const startedAt = performance.now();
    await site.deployment.want('2');
    await site.deployment.apply();
    // The stand-in of the provider takes an update that no controller has seen yet for done.
    for (const name of ['attic-api', 'attic-gc']) {
      await site.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=180s');
    }
    const took = secondsSince(startedAt);
    await load.stop();

    const { pulls, pushes } = load.take();
    figure('an upgrade of all pods under load', took, 's', { max: 180 });
    figure('transfers meanwhile, none lost', pulls.length + pushes.length, 'transfers', {
      min: 100,
    });
    // The replicas of before may still let transfers end.
    await expect
      .poll(() => replicaImages(site), { timeout: 60_000, interval: 1000 })
      .toEqual([IMAGES.nextCache, IMAGES.nextCache]);
    await site.deployment.flywheel('plan', 'attic', '--check');
  });

  declareAutoscaling(site);

  test('a destroy leaves only what holds data', async () => {
    const refused = site.deployment.flywheel('destroy', 'attic', '--yes');
    await expect(refused).rejects.toThrow(/StatefulSet\/flywheel-cache\/minio/);

    const allowed = `--allow-destroy=StatefulSet/${NAMESPACE}/minio`;
    await site.deployment.flywheel('destroy', 'attic', '--yes', allowed);

    await expect
      .poll(() => objectsOf(site), { timeout: 120_000, interval: 2000 })
      .toEqual([
        'configmap/kube-root-ca.crt',
        'persistentvolumeclaim/data-0-minio-0',
        'secret/flywheel-cache-database',
        'secret/flywheel-cache-keys',
        'secret/flywheel-cache-storage',
        'secret/flywheel-minio-root',
        'serviceaccount/default',
      ]);
  });
}

const KINDS =
  'pods,deployments,replicasets,statefulsets,jobs,services,endpointslices,ingresses,' +
  'networkpolicies,poddisruptionbudgets,horizontalpodautoscalers,resourcequotas,limitranges,' +
  'configmaps,secrets,serviceaccounts,persistentvolumeclaims';

/** All that is in the namespace, by kind and name. */
async function objectsOf(site: Site): Promise<readonly string[]> {
  const names = await site.kubectl('get', KINDS, '--output=name');
  return names
    .trim()
    .split('\n')
    .map((name) => name.replace(/\.[a-z0-9.]*\//, '/'))
    .toSorted();
}

async function rootPassword(site: Site): Promise<string> {
  const entry = '--output=jsonpath={.data.MINIO_ROOT_PASSWORD}';
  const encoded = await site.kubectl('get', 'secret', 'flywheel-minio-root', entry);
  return Buffer.from(encoded, 'base64').toString();
}

async function replicaImages(site: Site): Promise<readonly string[]> {
  const images = await site.kubectl(
    'get',
    'pods',
    '--selector=app.kubernetes.io/component=api',
    '--output=jsonpath={.items[*].spec.containers[0].image}',
  );
  return images.split(' ');
}

async function makePath(folder: string): Promise<PathSource> {
  const tree = join(folder, 'tree');
  await mkdir(join(tree, 'bin'), { recursive: true });
  await writeFile(join(tree, 'bin/run'), '#!/bin/sh\necho deployed\n', { mode: 0o755 });
  await writeFile(join(tree, 'data'), Buffer.alloc(3_000_000, 'much alike '));
  const { ca: _ca, ...source } = await contentAddressed({
    name: 'tree',
    tree: () => narOfPath(tree),
  });
  return source;
}
