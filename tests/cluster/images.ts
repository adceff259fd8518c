import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isMissing, minioClient, minioProgram, startImageBuilder } from '@flywheel/testing';
import type { ImageBuild, Kubernetes, Missing } from '@flywheel/testing';
import { layOutImage } from '../../scripts/image-tree.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Names in the cluster: the cache in two versions, the command line, and MinIO with its client. */
export const IMAGES = {
  cache: 'flywheel.test/cache:1',
  nextCache: 'flywheel.test/cache:2',
  flywheel: 'flywheel.test/flywheel:1',
  minio: 'flywheel.test/minio:1',
} as const;
const OURS = [IMAGES.cache, IMAGES.nextCache, IMAGES.flywheel];

const MINIO = `ARG BASE
FROM \${BASE}
COPY minio mc /usr/bin/
ENTRYPOINT ["minio"]
`;

/** Builds our images from this checkout, and MinIO's from its programs; gives them to the cluster. */
export async function importImages(kubernetes: Kubernetes): Promise<Missing | undefined> {
  const builder = await startImageBuilder();
  if (isMissing(builder)) return builder;
  await using opened = new AsyncDisposableStack();
  opened.use(builder);
  const folder = await mkdtemp(join(tmpdir(), 'cluster-images-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const provide = async (build: ImageBuild): Promise<void> => {
    const archive = join(folder, 'image.tar');
    await builder.build({ ...build, args: { BASE: builder.base, ...build.args } }, archive);
    await kubernetes.importImage(archive);
    await rm(archive);
  };

  layOutImage(join(folder, 'tree/opt/flywheel'));
  for (const name of OURS) {
    const [, image = '', version = ''] = /\/(\w+):(\d+)$/.exec(name) ?? [];
    await provide({
      containerfile: join(ROOT, 'build/images', image, 'Containerfile'),
      context: ROOT,
      name,
      args: { VERSION: version },
      contexts: { tree: join(folder, 'tree') },
    });
  }

  const [minio, client] = [await minioProgram(), await minioClient()];
  if (typeof minio !== 'string') return minio;
  if (typeof client !== 'string') return client;
  const context = join(folder, 'minio');
  const containerfile = join(context, 'Containerfile');
  await mkdir(context);
  await copyFile(minio, join(context, 'minio'));
  await copyFile(client, join(context, 'mc'));
  await writeFile(containerfile, MINIO);
  await provide({ containerfile, context, name: IMAGES.minio });
  return undefined;
}
