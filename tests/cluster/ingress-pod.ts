import { outputOf } from '@flywheel/testing';
import type { ControlPlane } from '@flywheel/testing';
import { IMAGES } from './images.ts';

/** Where the network policies of the cache expect the ingress controller, by default. */
const NAMESPACE = 'ingress-nginx';
const NAME = 'controller';
const LABELS = { app: NAME };

/** Hands each connection on, as it is. Of the name, whose address stays, it asks once. */
const SCRIPT = `
const { connect, createServer } = require('node:net');
const fail = (error) => console.error(new Date().toISOString(), error.message);
require('node:dns').lookup(process.argv[1] + '.', (unknown, host) => {
  if (unknown) throw unknown;
  createServer({ allowHalfOpen: true }, (outside) => {
    const inside = connect({ host, port: 80, allowHalfOpen: true });
    outside.pipe(inside).pipe(outside);
    outside.on('error', (error) => (fail(error), inside.destroy()));
    inside.on('error', (error) => (fail(error), outside.destroy()));
  }).listen(8080);
});
process.on('SIGTERM', () => process.exit());
`;

/**
 * Stands in for an ingress controller: a pod in the namespace of one that hands on to a service.
 * Answers the URL at which this machine reaches it.
 */
export async function startIngress(cluster: ControlPlane, service: string): Promise<string> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects(service) };
  const kubectl = async (args: readonly string[], input?: string): Promise<string> =>
    outputOf(await cluster.kubectl(args, input), 'an ingress');
  await kubectl(['apply', '-f', '-'], JSON.stringify(list));
  const within = `--namespace=${NAMESPACE}`;
  await kubectl(['rollout', 'status', `deployment/${NAME}`, within, '--timeout=120s']);
  const address = ['get', 'service', NAME, within, '--output=jsonpath={.spec.clusterIP}'];
  return `http://${await kubectl(address)}/`;
}

function objects(service: string): readonly object[] {
  const metadata = { name: NAME, namespace: NAMESPACE };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: LABELS, ports: [{ port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            containers: [
              {
                name: NAME,
                image: IMAGES.cache,
                command: ['/opt/flywheel/bin/node', '-e', SCRIPT, service],
                readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
  ];
}
