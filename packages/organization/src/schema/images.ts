import { z } from 'zod';
import { imageReference, imageRepository, text } from './formats.ts';
import { listBy } from './shapes.ts';

export const images = z.strictObject({
  repository: imageRepository.describe(
    "Where flywheel's own images lie: REPOSITORY/cache, /cli, /scaler, /dashboard",
  ),
  tag: text.default('main').describe("Tag of flywheel's own images; CI sets the commit"),
  pullPolicy: z
    .enum(['IfNotPresent', 'Always'])
    .default('IfNotPresent')
    .describe('When nodes ask the registry'),
  mirrors: listBy(
    'registry',
    z.strictObject({
      registry: text.describe('Registry, such as docker.io'),
      mirror: text.describe('What stands instead of it, such as registry.example.org/docker-hub'),
    }),
  )
    .default([])
    .describe('Registries that images are pulled through'),
  gitlabRunner: imageReference.describe("Manager of runners: GitLab's own image"),
  postgresql: imageReference.describe('PostgreSQL for CloudNativePG'),
  minio: imageReference.describe('MinIO'),
  minioClient: imageReference.describe('mc, which makes buckets and users'),
});
