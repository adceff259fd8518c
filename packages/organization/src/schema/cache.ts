import { z } from 'zod';
import { byteSize, dnsLabel, httpUrl, period, publicKey, text } from './formats.ts';
import { backups, database } from './database.ts';
import { listBy, resources } from './shapes.ts';
import { storage } from './storage.ts';

const oneCache = z.strictObject({
  public: z.boolean().default(false).describe('Everybody may pull, without a token'),
  priority: z
    .int()
    .min(0)
    .max(1000)
    .default(41)
    .describe('Nix asks caches with a smaller one first; cache.nixos.org has 40'),
  retention: period
    .optional()
    .describe('How long a path stays after its last use; without it, cache.retention'),
  quota: byteSize.optional().describe('Compressed bytes at most; what was unused longest goes'),
  upstreamKeys: z
    .array(text)
    .default(['cache.nixos.org-1'])
    .describe('Names of keys: paths that these have signed are not pushed'),
  upstreams: listBy(
    'url',
    z.strictObject({
      url: httpUrl.describe('Where it is'),
      publicKeys: z
        .array(publicKey)
        .min(1, { error: 'is empty' })
        .describe('Keys that its paths are signed with'),
    }),
  )
    .default([])
    .describe('Caches that missing paths are pulled through from, in this order'),
  ciPush: z
    .enum(['protected', 'all', 'none'])
    .default('protected')
    .describe('Which refs of the group may push with the ID token of their job'),
});

export const cache = z.strictObject({
  enabled: z.boolean().default(true).describe('Deploy the cache'),
  subdomain: dnsLabel.default('cache').describe("Its name below the environment's domain"),
  caches: z.record(dnsLabel, oneCache).default({}).describe('Caches by name'),
  retention: period
    .default('90d')
    .describe('How long a path stays after its last use, in caches that do not say it themselves'),
  keyAlgorithm: z
    .enum(['EdDSA', 'HS256', 'RS256', 'ES256'])
    .default('EdDSA')
    .describe('How tokens are signed; Attic has HS256'),
  auditDays: z.int().min(1).default(90).describe('How long the audit log is kept, in days'),
  downloads: z
    .enum(['proxy', 'redirect'])
    .default('proxy')
    .describe('Send NARs ourselves, or redirect clients to signed URLs of the bucket'),
  replicas: z
    .strictObject({
      min: z.int().min(1).default(2).describe('Fewest'),
      max: z.int().min(1).default(10).describe('Most'),
      cpuPercent: z
        .int()
        .min(1)
        .max(100)
        .default(70)
        .describe('CPU, in percent of what is requested, above which there will be more'),
    })
    .prefault({})
    .describe('Replicas of the API'),
  resources: resources({ cpu: '250m', memory: '256Mi', memoryLimit: '1Gi' })
    .prefault({})
    .describe('CPU and memory of a replica'),
  storage: storage.prefault({}).describe('Where packs lie'),
  database: database.prefault({}).describe('Where it is known what packs hold'),
  backups: backups.prefault({}).describe('Backups of the database, with CloudNativePG'),
});
