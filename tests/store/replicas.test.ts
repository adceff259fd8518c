import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { figure, isMissing, startNginx } from '@flywheel/testing';
import type { CacheProcess, Nginx } from '@flywheel/testing';
import { createCache, missingPaths, uploadPath, verifyPath } from './attic-client.ts';
import { openBackend, type Backend } from './backends.ts';
import { generatePath, realisticBytes, type GeneratedPath } from './sample-nars.ts';

// Three API replicas and a worker that reclaims, over one database and one bucket, behind nginx,
// which hands out requests in turn.

const REPLICAS = 3;
const PARALLEL = 16;
const PATHS = 96;

const found = await openBackend({ database: 'PostgreSQL', packs: 'Versity' });
const backend = found as Backend;

afterAll(async () => {
  if (!isMissing(found)) await backend[Symbol.asyncDispose]();
});

if (isMissing(found)) test('replicas', ({ skip }) => skip(true, found.missing));

describe.skipIf(isMissing(found))('three replicas behind a proxy', { timeout: 300_000 }, () => {
  test('killed in turn during 16 pushes and pulls at once, they lose nothing', async () => {
    await using site = await openSite();
    await createCache(site.proxied, 'main');
    const paths = await makePaths('killed');
    let kills = 0;
    let broken = 0;
    /** Repeats until it succeeds, as clients do. */
    const insist = async (transfer: () => Promise<void>): Promise<void> => {
      for (let failures = 0; ; failures += 1) {
        try {
          await transfer();
          return;
        } catch (error) {
          if (failures === 50) throw error;
          broken += 1;
          await sleep(100);
        }
      }
    };
    const present: GeneratedPath[] = [];
    const wrong: string[] = [];
    const queue = [...paths, ...paths];
    const work = async (): Promise<void> => {
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        const wanted = path;
        await insist(() => uploadPath(site.proxied, 'main', wanted));
        present.push(path);
        const earlier = present[Math.floor(Math.random() * present.length)] ?? path;
        await insist(() =>
          verifyPath(site.proxied, 'main', earlier).catch((error: unknown) => {
            // A download that broke off is the client's to repeat; one that ended must be right.
            if (String(error).includes('came back damaged')) wrong.push(String(error));
            throw error;
          }),
        );
      }
    };
    const working = Promise.all(Array.from({ length: PARALLEL }, work)).then(() => 'done' as const);
    for (let turn = 0; ; turn += 1) {
      const ended = await Promise.race([working, sleep(500)]);
      if (ended === 'done') break;
      await site.kill(turn % REPLICAS);
      kills += 1;
    }

    expect(wrong).toEqual([]);
    expect([...(await missingPaths(site.proxied, 'main', paths))]).toEqual([]);
    for (const path of paths) await verifyPath(site.proxied, 'main', path);
    // Whatever the killed ones have begun, somebody takes away.
    await backend.expireLeases();
    await site.restartWorker();
    await expect.poll(() => backend.unfinished(), { timeout: 30_000, interval: 500 }).toBe(0);
    for (const path of paths) await verifyPath(site.proxied, 'main', path);
    figure('replicas killed during transfers', kills, 'kills', { min: REPLICAS });
    figure('transfers that broke off and were repeated', broken, 'transfers', { min: 1 });
  });

  test('restarted one after the other, no client notices', async () => {
    await using site = await openSite();
    await createCache(site.proxied, 'rolling');
    const paths = await makePaths('rolling');
    let restarts = 0;
    let transfers = 0;
    const ending = new AbortController();
    const work = async (worker: number): Promise<void> => {
      for (let i = worker; !ending.signal.aborted || i < paths.length; i += PARALLEL) {
        const path = paths[i % paths.length]!;
        await uploadPath(site.proxied, 'rolling', path);
        await verifyPath(site.proxied, 'rolling', path);
        transfers += 2;
      }
    };
    const working = Promise.all(Array.from({ length: PARALLEL }, (_, i) => work(i)));
    working.catch(() => {});
    for (let turn = 0; turn < REPLICAS; turn += 1) {
      await Promise.race([working, sleep(1000)]);
      await site.restart(turn);
      restarts += 1;
    }
    ending.abort();
    await working;

    expect([...(await missingPaths(site.proxied, 'rolling', paths))]).toEqual([]);
    figure('replicas restarted during transfers', restarts, 'restarts', { min: REPLICAS });
    figure('transfers meanwhile, none refused', transfers, 'transfers', { min: PATHS });
  });
});

interface Site extends AsyncDisposable {
  /** The replicas as clients see them. */
  readonly proxied: CacheProcess;
  /** SIGKILL, and starts another in its place. */
  kill(replica: number): Promise<void>;
  /**
   * SIGTERM, as a rolling upgrade does; the proxy sends it nothing more when it is not ready, as those
   * do that look; starts another when it has ended.
   */
  restart(replica: number): Promise<void>;
  restartWorker(): Promise<void>;
}

async function openSite(): Promise<Site> {
  await using cleanup = new AsyncDisposableStack();
  const startApi = (listen?: string): Promise<CacheProcess> =>
    backend.start(['--role', 'api', '--drain', '1s'], listen);
  {
    // Makes the schema; a deployment runs --role migrate.
    await using first = await backend.start();
    expect(first.url).toMatch(/^http:/);
  }
  const replicas: CacheProcess[] = [];
  for (let i = 0; i < REPLICAS; i += 1) replicas.push(await startApi());
  cleanup.defer(async () => {
    await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
  });
  let worker = await backend.start(['--role', 'gc']);
  cleanup.defer(() => worker[Symbol.asyncDispose]());
  const addresses = replicas.map(addressOf);
  const nginx = await startProxy(addresses);
  cleanup.use(nginx);
  const [one] = replicas;
  const opened = cleanup.move();
  return {
    proxied: { ...one!, url: nginx.url },
    async kill(index) {
      const replica = replicas[index]!;
      await replica.kill();
      replicas[index] = await startApi(addressOf(replica));
    },
    async restart(index) {
      const replica = replicas[index]!;
      const ended = replica[Symbol.asyncDispose]();
      await expect.poll(() => isReady(replica), { interval: 50 }).toBe(false);
      await nginx.reload(proxySite(addresses.toSpliced(index, 1)));
      await ended;
      replicas[index] = await startApi(addressOf(replica));
      await nginx.reload(proxySite(addresses));
    },
    async restartWorker() {
      await worker[Symbol.asyncDispose]();
      worker = await backend.start(['--role', 'gc']);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function addressOf({ url }: CacheProcess): string {
  return new URL(url).host;
}

async function isReady({ url }: CacheProcess): Promise<boolean> {
  return (await fetch(new URL('readyz', url))).ok;
}

async function startProxy(addresses: readonly string[]): Promise<Nginx> {
  const site = proxySite(addresses);
  const nginx = await startNginx({ root: '/nonexistent', master: true, site });
  if (isMissing(nginx)) throw new Error(nginx.missing);
  return nginx;
}

/** As docs/cache/replicas.md shows it: who does not answer is passed over, and tried again soon. */
function proxySite(addresses: readonly string[]): (port: number) => string {
  const servers = addresses.map((address) => `server ${address} max_fails=1 fail_timeout=1s;`);
  return (port) => `
  upstream cache { ${servers.join(' ')} keepalive 32; }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    location / {
      proxy_pass http://cache;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_next_upstream error timeout http_503;
    }
  }`;
}

/** Some sizes, and chunks that several have in common. */
async function makePaths(name: string): Promise<readonly GeneratedPath[]> {
  const paths: GeneratedPath[] = [];
  for (let i = 0; i < PATHS; i += 1) {
    const size = 50_000 + (i % 8) * 300_000;
    paths.push(
      await generatePath(`${name}-${i}`, size, function* contents() {
        yield* realisticBytes(size / 2, `${name} shared ${i % 6}`);
        yield* realisticBytes(size / 2, `${name} own ${i}`);
      }),
    );
  }
  return paths;
}
