import type { Finding } from '../check.ts';
import { whereAllowed } from './examined.ts';
import type { Examined } from './examined.ts';

/** What requests come in through: the class of the Ingress, or the Gateway; and who issues certificates. */
export async function checkEntrance(examined: Examined): Promise<readonly Finding[]> {
  const { ingress } = examined.organization;
  const entrance =
    ingress.kind === 'gateway'
      ? whereAllowed('Gateway', () => checkGateway(examined))
      : whereAllowed('Ingress class', () => checkIngressClass(examined));
  if (ingress.tls.issuer === undefined) return [await entrance];
  return await Promise.all([entrance, whereAllowed('Issuer', () => checkIssuer(examined))]);
}

async function checkIngressClass({ cluster, organization }: Examined): Promise<Finding> {
  const name = 'Ingress class';
  const wanted = organization.ingress.className;
  const classes = await cluster.list('/apis/networking.k8s.io/v1/ingressclasses');
  const names = classes.map(({ metadata }) => metadata.name);
  if (names.includes(wanted)) return { name, status: 'ok', summary: wanted };
  return {
    name,
    status: 'failed',
    summary: `there is no ${wanted}`,
    remedy:
      names.length === 0
        ? 'Deploy an ingress controller, or set ingress.kind to gateway.'
        : `Name one in organization.yaml, ingress.className: ${names.join(', ')}.`,
  };
}

async function checkGateway({ cluster, organization }: Examined): Promise<Finding> {
  const name = 'Gateway';
  const { gateway } = organization.ingress;
  const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${gateway?.namespace}/gateways/${gateway?.name}`;
  if ((await cluster.get(path)) !== undefined) {
    return { name, status: 'ok', summary: `${gateway?.namespace}/${gateway?.name}` };
  }
  return {
    name,
    status: 'failed',
    summary: `there is no ${gateway?.namespace}/${gateway?.name}`,
    remedy:
      'Make it, with the controller and the definitions of the Gateway API, or correct ingress.gateway.',
  };
}

async function checkIssuer({ cluster, organization }: Examined): Promise<Finding> {
  const name = 'Issuer';
  const issuer = organization.ingress.tls.issuer ?? '';
  const found = await cluster.get(`/apis/cert-manager.io/v1/clusterissuers/${issuer}`);
  if (found !== undefined) return { name, status: 'ok', summary: issuer };
  return {
    name,
    status: 'failed',
    summary: `there is no ClusterIssuer ${issuer} of cert-manager`,
    remedy: 'Make it, or correct ingress.tls in organization.yaml.',
  };
}
