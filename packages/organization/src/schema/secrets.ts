import { z } from 'zod';
import { objectName } from './formats.ts';

export const secrets = z.strictObject({
  cacheKeys: objectName
    .default('flywheel-cache-keys')
    .describe("Keys of the cache's tokens; signing keys are sealed under them"),
  cacheDatabase: objectName
    .default('flywheel-cache-database')
    .describe('Key "url": where PostgreSQL is and as whom the cache uses it'),
  cacheStorage: objectName
    .default('flywheel-cache-storage')
    .describe('Keys "access-key-id" and "secret-access-key" of the bucket of packs'),
  backups: objectName
    .default('flywheel-backups')
    .describe('Keys "access-key-id" and "secret-access-key" of the bucket of backups'),
  minioRoot: objectName
    .default('flywheel-minio-root')
    .describe('Administrator of MinIO; only MinIO itself reads it'),
  gitlab: objectName
    .default('flywheel-gitlab')
    .describe('Key "token": reads the queue and runners, and makes runners'),
  runners: objectName
    .default('flywheel-runners')
    .describe('Authentication tokens of the runners, a key for each type'),
  dashboard: objectName
    .default('flywheel-dashboard')
    .describe('OAuth application and session key of the dashboard'),
  registry: objectName
    .optional()
    .describe('Pull secret of the registry of images; without it, pulls are anonymous'),
  certificateAuthority: objectName
    .optional()
    .describe('Key "ca.crt": who signed GitLab\'s certificate, where no public authority did'),
});
