import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  buildTofu,
  isMissing,
  minioClient,
  minioProgram,
  startImageBuilder,
} from '@flywheel/testing';
import type { ImageBuild, ImageBuilder, Kubernetes, Missing } from '@flywheel/testing';
import { layOutImage } from '../../scripts/image-tree.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Names in the cluster: the cache in two versions, the command line, and MinIO with its client. */
export const IMAGES = {
  repository: 'flywheel.test/acme',
  cache: 'flywheel.test/acme/cache:1',
  nextCache: 'flywheel.test/acme/cache:2',
  flywheel: 'flywheel.test/acme/flywheel:1',
  minio: 'flywheel.test/acme/minio:1',
} as const;

/** Another image with the same in it. */
const NEXT_CACHE = `FROM ${IMAGES.cache}
LABEL org.opencontainers.image.version=2
`;

const MINIO = `ARG BASE
FROM \${BASE}
COPY minio mc /usr/bin/
ENTRYPOINT ["minio"]
`;

/** Builds further images in a folder of its own. */
export type BuildImages = (builder: ImageBuilder, folder: string) => Promise<Missing | undefined>;

/** Builds our images from this checkout, and MinIO's from its programs; gives them to the cluster. */
export async function importImages(
  kubernetes: Kubernetes,
  buildMore: BuildImages = () => Promise.resolve(undefined),
): Promise<Missing | undefined> {
  const builder = await startImageBuilder();
  if (isMissing(builder)) return builder;
  await using opened = new AsyncDisposableStack();
  opened.use(builder);
  const folder = await mkdtemp(join(tmpdir(), 'cluster-images-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const build = (image: ImageBuild): Promise<void> =>
    builder.build({ ...image, args: { BASE: builder.base, ...image.args } });

  const programs = await buildTofu();
  if ('missing' in programs) return programs;
  layOutImage(join(folder, 'tree/opt/flywheel'));
  await mkdir(join(folder, 'tofu/usr/local/bin'), { recursive: true });
  await copyFile(programs.tofu, join(folder, 'tofu/usr/local/bin/tofu'));
  for (const image of ['cache', 'flywheel'] as const) {
    await build({
      containerfile: join(ROOT, 'build/images/Containerfile'),
      target: image,
      context: ROOT,
      name: IMAGES[image],
      args: { VERSION: '1' },
      contexts: { tree: join(folder, 'tree'), tofu: join(folder, 'tofu') },
    });
  }

  const [minio, client] = [await minioProgram(), await minioClient()];
  if (typeof minio !== 'string') return minio;
  if (typeof client !== 'string') return client;
  const context = join(folder, 'context');
  await mkdir(context);
  await copyFile(minio, join(context, 'minio'));
  await copyFile(client, join(context, 'mc'));
  for (const [name, text] of [
    [IMAGES.nextCache, NEXT_CACHE],
    [IMAGES.minio, MINIO],
  ] as const) {
    const containerfile = join(folder, 'Containerfile');
    await writeFile(containerfile, text);
    await build({ containerfile, context, name });
  }

  const more = join(folder, 'more');
  await mkdir(more);
  const lacking = await buildMore(builder, more);
  if (lacking !== undefined) return lacking;

  const archive = join(folder, 'images.tar');
  await builder.save(archive);
  await kubernetes.importImages(archive);
  return undefined;
}
