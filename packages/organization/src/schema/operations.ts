import { z } from 'zod';
import { cidr, dnsLabel, duration, gitlabPath, httpUrl, text } from './formats.ts';
import { listBy, resources } from './shapes.ts';

const small = resources({ cpu: '50m', memory: '96Mi', memoryLimit: '256Mi' });

export const scaler = z.strictObject({
  enabled: z.boolean().default(true).describe('Let the number of managers follow the queue'),
  replicas: z.int().min(1).default(2).describe('Replicas'),
  pollInterval: duration.default('10s').describe('How often GitLab is asked'),
  staleAfter: duration
    .default('60s')
    .describe('Older answers are none: the number of managers stays as it is'),
  scaleDownWindow: duration.default('5m').describe('How long less is needed before managers go'),
  resources: small.prefault({}).describe('CPU and memory of a replica'),
});

export const dashboard = z.strictObject({
  enabled: z.boolean().default(true).describe('Deploy the dashboard'),
  subdomain: dnsLabel.default('flywheel').describe("Its name below the environment's domain"),
  replicas: z.int().min(1).default(2).describe('Replicas'),
  session: duration.default('12h').describe('How long somebody stays signed in'),
  access: listBy(
    'group',
    z.strictObject({
      group: gitlabPath.describe('Group of GitLab'),
      role: z
        .enum(['viewer', 'operator', 'admin'])
        .describe('Look, also pause and retry, or also change'),
    }),
  )
    .default([])
    .describe('Who may sign in, by membership; the strongest role counts. Nobody else may'),
  resources: resources({ cpu: '100m', memory: '128Mi', memoryLimit: '512Mi' })
    .prefault({})
    .describe('CPU and memory of a replica'),
});

export const monitoring = z.strictObject({
  enabled: z.boolean().default(false).describe("The cluster has Prometheus Operator's CRDs"),
  namespace: dnsLabel
    .default('monitoring')
    .describe('Namespace of Prometheus, which network policies let in'),
  labels: z
    .record(text, z.string())
    .default({})
    .describe('Labels by which that Prometheus finds monitors and rules'),
  alerts: z.boolean().default(true).describe('Deploy alerts'),
  boards: z.boolean().default(true).describe('Deploy boards of Grafana, as ConfigMaps'),
  prometheusUrl: httpUrl.optional().describe('Where the dashboard reads figures'),
});

export const networkPolicy = z.strictObject({
  enabled: z.boolean().default(true).describe('Close every namespace but for what is needed'),
  blocked: z
    .array(cidr)
    .default(['169.254.0.0/16', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'])
    .describe('What jobs never reach unless egress names it: metadata services, the cluster'),
  egress: listBy(
    'name',
    z.strictObject({
      name: dnsLabel.describe('What it is'),
      cidrs: z.array(cidr).min(1, { error: 'is empty' }).describe('Addresses'),
      ports: z.array(z.int().min(1).max(65_535)).default([443]).describe('TCP ports'),
    }),
  )
    .default([])
    .describe('What jobs reach within the blocked addresses'),
});
