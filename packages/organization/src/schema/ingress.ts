import { z } from 'zod';
import { dnsLabel, objectName, text } from './formats.ts';

export const ingress = z.strictObject({
  kind: z.enum(['ingress', 'gateway']).default('ingress').describe('Ingress, or Gateway API'),
  className: dnsLabel.default('nginx').describe('Class of the Ingress'),
  gateway: z
    .strictObject({
      name: objectName.describe('Its name'),
      namespace: dnsLabel.describe('Its namespace'),
    })
    .optional()
    .describe('Gateway that routes attach to, with kind: gateway'),
  namespace: dnsLabel
    .default('ingress-nginx')
    .describe('Namespace of the ingress controller, which network policies let in'),
  tls: z
    .strictObject({
      issuer: objectName.optional().describe('ClusterIssuer of cert-manager'),
      secret: objectName.optional().describe('Secret with a certificate for all names, instead'),
    })
    .prefault({})
    .describe('Where certificates come from; with neither, TLS ends before the cluster'),
  annotations: z.record(text, z.string()).default({}).describe('Further annotations'),
});
