import { z } from 'zod';
import { dnsLabel, domainName, text } from './formats.ts';

const environment = z.strictObject({
  role: z.enum(['development', 'staging', 'production']).describe('What it is for'),
  context: text.describe(
    'Context of the kubeconfig: "group/project:agent" for the GitLab agent, or any other name',
  ),
  domain: domainName.describe('Domain below which its services get their names'),
  overrides: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'What is different here: any section of this file but the first three, merged over it',
    ),
});

export const environments = z
  .record(dnsLabel, environment)
  .refine((all) => Object.keys(all).length > 0, { error: 'is empty: name one environment' })
  .describe('Clusters by name');
