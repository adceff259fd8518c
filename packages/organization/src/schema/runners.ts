import { z } from 'zod';
import { dnsLabel, duration, imageReference, objectName, quantity, text } from './formats.ts';
import { resources } from './shapes.ts';

const toleration = z.strictObject({
  key: text.describe('Taint of the nodes'),
  operator: z.enum(['Equal', 'Exists']).default('Equal').describe('How its value is compared'),
  value: z.string().default('').describe('Value of the taint'),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .default('NoSchedule')
    .describe('Effect of the taint'),
});

const isolation = z.strictObject({
  level: z
    .enum(['restricted', 'baseline', 'privileged'])
    .default('restricted')
    .describe('Pod security of the namespace of jobs'),
  namespace: dnsLabel
    .optional()
    .describe(
      'Namespace of its jobs; without it, namespaces.jobs, which is not for privileged ones',
    ),
  userNamespaces: z
    .boolean()
    .default(true)
    .describe('Root in a job is nobody on the node (Kubernetes 1.33, containerd 2)'),
  runtimeClass: objectName.optional().describe('Runtime of the pods, such as gvisor'),
  allowedImages: z
    .array(text)
    .default([])
    .describe('Patterns of images that jobs may ask for; any when empty'),
  nodeSelector: z.record(text, z.string()).default({}).describe('Labels of the nodes for jobs'),
  tolerations: z.array(toleration).default([]).describe('Taints that jobs put up with'),
});

const runner = z.strictObject({
  enabled: z.boolean().default(true).describe('Deploy it'),
  kind: z
    .enum(['container', 'dind', 'nix'])
    .default('container')
    .describe('Jobs in a container, beside a Docker daemon, or with a Nix store that stays'),
  description: z.string().default('').describe('What people see in GitLab'),
  image: imageReference.describe('Image of jobs that name none'),
  tags: z.array(text).min(1, { error: 'is empty' }).describe('Tags that jobs ask for'),
  runUntagged: z.boolean().default(false).describe('Takes jobs without tags, too'),
  protected: z.boolean().default(false).describe('Takes jobs of protected refs only'),
  locked: z.boolean().default(false).describe('Cannot be given to further projects'),
  scope: z.enum(['group', 'project']).default('group').describe('Whose jobs it takes'),
  project: dnsLabel.optional().describe('Which of gitlab.projects, with scope: project'),
  concurrency: z.int().min(1).default(10).describe('Jobs at once of one manager'),
  timeout: duration.default('1h').describe('Jobs end after so long'),
  environment: z.record(text, z.string()).default({}).describe('Variables of every job'),
  cache: dnsLabel.optional().describe('Cache that jobs pull from and push to'),
  resources: resources({ cpu: '500m', memory: '1Gi', memoryLimit: '4Gi' })
    .prefault({})
    .describe('CPU and memory of a job'),
  scaling: z
    .strictObject({
      min: z.int().min(0).default(1).describe('Fewest managers'),
      max: z.int().min(1).default(5).describe('Most managers'),
    })
    .prefault({})
    .describe('Managers: their number follows the queue'),
  isolation: isolation.prefault({}).describe('What jobs are kept from'),
  nixStore: z
    .strictObject({
      size: quantity.default('50Gi').describe('Disk of each slot'),
      storageClass: objectName
        .optional()
        .describe("Class of the disks; without it, the cluster's default"),
    })
    .prefault({})
    .describe('Nix stores that stay between jobs, with kind: nix'),
});

export const runners = z
  .record(dnsLabel, runner)
  .default({})
  .describe('Types of runners by name. docker, dind, nix, rocky8 and rocky9 come with flywheel');
