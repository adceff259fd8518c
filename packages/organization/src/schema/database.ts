import { z } from 'zod';
import {
  bucketName,
  cidr,
  clusterName,
  duration,
  httpUrl,
  instant,
  objectName,
  quantity,
  schedule,
  text,
} from './formats.ts';
import { resources } from './shapes.ts';

export const database = z.strictObject({
  engine: z
    .enum(['cnpg', 'external'])
    .default('cnpg')
    .describe('CloudNativePG in the cluster, or a PostgreSQL that is there already'),
  cnpg: z
    .strictObject({
      name: clusterName
        .default('attic-db')
        .describe('Name of the database cluster. A restore makes one with another name'),
      recovery: z
        .strictObject({
          from: clusterName.describe('Name of the cluster whose backups are restored'),
          until: instant
            .optional()
            .describe('What was written later is left out; without it, all that was archived'),
        })
        .optional()
        .describe('Make the cluster from backups. Counts only when it is made'),
      instances: z.int().min(1).max(9).default(3).describe('Primary and replicas'),
      size: quantity.default('20Gi').describe('Disk of each instance'),
      storageClass: objectName
        .optional()
        .describe("Class of the disks; without it, the cluster's default"),
      parameters: z
        .record(text, z.string())
        .default({})
        .describe('Settings of postgresql.conf, all as text'),
      resources: resources({ cpu: '250m', memory: '512Mi', memoryLimit: '1Gi' })
        .prefault({})
        .describe('CPU and memory of an instance'),
    })
    .prefault({})
    .describe('With engine: cnpg'),
  external: z
    .strictObject({
      port: z.int().min(1).max(65_535).default(5432).describe('Port of the server'),
      cidrs: z
        .array(cidr)
        .min(1, { error: 'is empty' })
        .default(['0.0.0.0/0'])
        .describe('Addresses of the server: the network policy lets the cache reach no others'),
    })
    .prefault({})
    .describe('With engine: external. Its URL is in the Secret `secrets.cacheDatabase`'),
});

export const backups = z.strictObject({
  enabled: z.boolean().default(true).describe('Back the database up'),
  schedule: schedule
    .default('0 0 3 * * *')
    .describe('When, in UTC: second minute hour day month weekday'),
  retention: duration.default('30d').describe('How long backups are kept'),
  bucket: bucketName
    .optional()
    .describe("Bucket of backups: not the cache's, and better on another server"),
  endpoint: httpUrl.optional().describe('Its server; without it, AWS'),
  region: text.default('us-east-1').describe('Its region'),
});
