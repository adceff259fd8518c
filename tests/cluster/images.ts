import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isMissing, startImageBuilder } from '@flywheel/testing';
import type { Kubernetes, Missing } from '@flywheel/testing';
import { layOutImage } from '../../scripts/image-tree.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Names of our images in the cluster: the cache in two versions, and the command line. */
export const IMAGES = {
  cache: 'flywheel.test/cache:1',
  nextCache: 'flywheel.test/cache:2',
  flywheel: 'flywheel.test/flywheel:1',
} as const;

/** Builds our images from this checkout, and gives them to the cluster. */
export async function importImages(kubernetes: Kubernetes): Promise<Missing | undefined> {
  const builder = await startImageBuilder();
  if (isMissing(builder)) return builder;
  const folder = await mkdtemp(join(tmpdir(), 'cluster-images-'));
  try {
    layOutImage(join(folder, 'tree/opt/flywheel'));
    for (const name of Object.values(IMAGES)) {
      const [, image = '', version = ''] = /\/(\w+):(\d+)$/.exec(name) ?? [];
      const archive = join(folder, `${image}-${version}.tar`);
      const build = {
        containerfile: join(ROOT, 'build/images', image, 'Containerfile'),
        context: ROOT,
        name,
        args: { BASE: builder.base, VERSION: version },
        contexts: { tree: join(folder, 'tree') },
      };
      await builder.build(build, archive);
      await kubernetes.importImage(archive);
      await rm(archive);
    }
    return undefined;
  } finally {
    await builder[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}
