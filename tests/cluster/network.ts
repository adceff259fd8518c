import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NAMESPACE } from './deployment.ts';
import { reach, startProbe } from './reach.ts';
import type { Outcome } from './reach.ts';
import type { CacheSite } from './site.ts';

const STRANGERS = 'strangers';
const MONITORING = 'monitoring';
const SERVICES = `${NAMESPACE}.svc.cluster.local`;

/** The namespace is closed both ways: the label of a client lets it in at the cache, this lets it out. */
const CLIENTS_OUT = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'clients', namespace: NAMESPACE },
  spec: {
    podSelector: { matchLabels: { 'attic-cache/client': 'true' } },
    policyTypes: ['Egress'],
    egress: [
      {
        to: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'attic-cache' } } }],
        ports: [{ port: 8080 }],
      },
    ],
  },
};

/** Who reaches what of a deployed cache, whose ingress is there. */
export function declareNetwork(site: CacheSite): void {
  const cluster = site.kubernetes;
  const outside = createServer((socket) => socket.destroy());
  let targets: Record<'cache' | 'metrics' | 'store' | 'database' | 'api' | 'outside', string>;

  async function reached(namespace: string, name: string): Promise<Record<string, Outcome>> {
    return reach(cluster, { namespace, name }, targets);
  }

  describe('network policies', () => {
    beforeAll(async () => {
      outside.listen(0, cluster.hostAddress);
      await once(outside, 'listening');
      const pod = ['get', 'pods', '--selector=app.kubernetes.io/component=api'];
      const address = await site.kubectl(...pod, '--output=jsonpath={.items[0].status.podIP}');
      targets = {
        cache: `attic.${SERVICES}:80`,
        metrics: `${address}:9090`,
        store: `minio.${SERVICES}:9000`,
        database: `${cluster.hostAddress}:${site.databasePort}`,
        api: 'kubernetes.default.svc.cluster.local:443',
        // Stands for all the rest of the world.
        outside: `${cluster.hostAddress}:${(outside.address() as AddressInfo).port}`,
      };
      for (const namespace of [STRANGERS, MONITORING]) {
        await cluster.kubectl(['create', 'namespace', namespace]);
      }
    });

    afterAll(async () => {
      await cluster.kubectl(['delete', 'namespace', STRANGERS, MONITORING, '--wait=false']);
      outside.close();
    });

    test('a pod of another namespace reaches the world, and nothing of the cache', async () => {
      await startProbe(cluster, { namespace: STRANGERS, name: 'stranger' });

      expect(await reached(STRANGERS, 'stranger')).toEqual({
        cache: 'no answer',
        metrics: 'no answer',
        store: 'no answer',
        database: 'open',
        api: 'open',
        outside: 'open',
      });
    });

    test('the ingress reaches the cache, and nothing behind it', async () => {
      expect(await reached('ingress-nginx', 'deployment/controller')).toMatchObject({
        cache: 'open',
        metrics: 'no answer',
        store: 'no answer',
      });
    });

    test('replicas and the worker reach object store and database alone', async () => {
      for (const name of ['deployment/attic-api', 'deployment/attic-gc']) {
        expect(await reached(NAMESPACE, name)).toMatchObject({
          store: 'open',
          database: 'open',
          api: 'no answer',
          outside: 'no answer',
        });
      }
    });

    test('the object store reaches itself alone', async () => {
      expect(await reached(NAMESPACE, 'statefulset/minio')).toEqual({
        cache: 'no answer',
        metrics: 'no answer',
        store: 'open',
        database: 'no answer',
        api: 'no answer',
        outside: 'no answer',
      });
    });

    test('any other pod of the namespace is closed, until it is a client and let out', async () => {
      const pod = { namespace: NAMESPACE, name: 'client' };
      await startProbe(cluster, pod, { 'attic-cache/client': 'true' });
      const closed = await reached(NAMESPACE, 'client');

      await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(CLIENTS_OUT));
      const open = await reached(NAMESPACE, 'client');
      await site.kubectl('delete', 'pod/client', 'networkpolicy/clients');

      expect(closed).toEqual({
        cache: 'no answer',
        metrics: 'no answer',
        store: 'no answer',
        database: 'no answer',
        api: 'no answer',
        outside: 'no answer',
      });
      expect(open).toEqual({ ...closed, cache: 'open' });
    });
  });
}
