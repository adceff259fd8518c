import { describe, expect, test } from 'vitest';
import { figure, secondsSince } from '@flywheel/testing';
import { createCache } from '../store/attic-client.ts';
import { startSteadyLoad } from '../store/steady-load.ts';
import { deployedServer } from './deployed-server.ts';
import type { Site } from './site.ts';

interface Autoscaler {
  readonly status: {
    readonly currentReplicas: number;
    readonly currentMetrics?: readonly {
      readonly resource: { readonly current: { readonly averageUtilization?: number } };
    }[];
  };
}

/** `cache.replicas.cpuPercent`, by default. */
const TARGET = 70;
/** As much of what a replica requests by default, 500 m, in thousandths of a core. */
const BUSY = TARGET * 5;

/** What a deployed cache does with the figures of its pods. */
export function declareAutoscaling(site: Site): void {
  async function autoscaler(): Promise<Autoscaler['status']> {
    const found = await site.kubectl('get', 'hpa', 'attic-api', '--output=json');
    return (JSON.parse(found) as Autoscaler).status;
  }

  async function utilization(): Promise<number | undefined> {
    return (await autoscaler()).currentMetrics?.[0]?.resource.current.averageUtilization;
  }

  /** CPU of that replica of the API which uses most of it, in thousandths of a core. */
  async function busiest(): Promise<number> {
    const top = await site.kubectl('top', 'pods', '--no-headers');
    const found = [...top.matchAll(/^attic-api-\S+ +(\d+)m/gm)].map(([, used]) => Number(used));
    if (found.length === 0) throw new Error(`no figures of attic-api in:\n${top}`);
    return Math.max(...found);
  }

  describe('with a metrics API', () => {
    test('there are figures of each pod', async () => {
      // A pod has figures only after it was looked at twice.
      const top = expect.poll(() => site.kubectl('top', 'pods', '--no-headers'), {
        timeout: 60_000,
        interval: 1000,
      });
      await top.toMatch(/^attic-api-\S+ +\d+m +\d+Mi/m);
      await top.toMatch(/^minio-0 +\d+m +\d+Mi/m);
    });

    test('replicas follow the load, which doctor expects, and a plan has nothing against it', async () => {
      // The load of other tests has to be over: an autoscaler that sees it once keeps to it for minutes.
      await expect.poll(busiest, { timeout: 120_000, interval: 1000 }).toBeLessThan(BUSY);
      await site.deployment.set({ 'cache.replicas.max': 3 });
      await site.deployment.apply();
      const { stdout } = await site.deployment.run('doctor', '--cluster', '--json');
      const { checks } = JSON.parse(stdout) as { readonly checks: readonly { name: string }[] };
      expect(checks).toContainEqual({
        name: 'Metrics API',
        status: 'ok',
        summary: 'is there',
      });

      const server = await deployedServer(site);
      await createCache(server, 'busy');
      await expect.poll(utilization, { timeout: 120_000, interval: 1000 }).toBeLessThan(TARGET);
      const replicas = async () => (await autoscaler()).currentReplicas;
      await expect.poll(replicas, { timeout: 60_000, interval: 1000 }).toBe(2);

      const load = await startSteadyLoad(server, 'busy');
      const startedAt = performance.now();
      await expect.poll(replicas, { timeout: 120_000, interval: 1000 }).toBe(3);
      figure('from the first load to another replica', secondsSince(startedAt), 's', { max: 90 });
      await load.stop();

      await site.kubectl('rollout', 'status', 'deployment/attic-api', '--timeout=120s');
      await site.deployment.flywheel('plan', 'attic', '--check');
    });
  });
}
