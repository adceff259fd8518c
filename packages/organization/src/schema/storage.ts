import { z } from 'zod';
import { bucketName, httpUrl, objectName, quantity, text } from './formats.ts';
import { resources } from './shapes.ts';

export const storage = z.strictObject({
  engine: z
    .enum(['minio', 's3'])
    .default('minio')
    .describe('MinIO in the cluster, or a bucket that is there already'),
  bucket: bucketName.default('flywheel-cache').describe('Bucket of packs'),
  prefix: z.string().default('').describe('Folder in the bucket; none when empty'),
  s3: z
    .strictObject({
      endpoint: httpUrl.optional().describe('Server; without it, AWS'),
      region: text.default('us-east-1').describe('Region'),
      pathStyle: z.boolean().default(false).describe('Bucket in the path, not in the host'),
    })
    .prefault({})
    .describe('With engine: s3'),
  minio: z
    .strictObject({
      servers: z.int().min(1).default(1).describe('Pods; from 4 on, data survives the loss of one'),
      size: quantity.default('100Gi').describe('Disk of each pod'),
      storageClass: objectName
        .optional()
        .describe("Class of the disks; without it, the cluster's default"),
      resources: resources({ cpu: '250m', memory: '512Mi', memoryLimit: '2Gi' })
        .prefault({})
        .describe('CPU and memory of a pod'),
    })
    .prefault({})
    .describe('With engine: minio'),
});
