import type { Organization } from '@flywheel/organization';
import type { Finding } from '../check.ts';
import type { Examined } from './examined.ts';

const TIMEOUT_MS = 5000;

/**
 * Whether the registries of images answer this machine. Nodes may reach others: what they can pull is
 * only seen when they do.
 */
export async function checkRegistries({
  context,
  organization,
}: Examined): Promise<readonly Finding[]> {
  const registries = registriesOf(organization);
  return await Promise.all(
    registries.map(async (registry): Promise<Finding> => {
      const name = 'Registry';
      const problem = await problemOf(registry, context.signal);
      if (problem === undefined) {
        return { name, status: 'ok', summary: `${registry} answers this machine` };
      }
      const remedy = `What nodes can pull is not seen from here. With none: images.mirrors in organization.yaml.`;
      return { name, status: 'absent', summary: `${registry} does not answer: ${problem}`, remedy };
    }),
  );
}

/** Of the images of the stacks, with mirrors in the place of what they mirror. */
function registriesOf({ cache, images }: Organization): readonly string[] {
  if (!cache.enabled) return [];
  const used = [
    images.repository,
    ...(cache.storage.engine === 'minio' ? [images.minio, images.minioClient] : []),
    ...(cache.database.engine === 'cnpg' ? [images.postgresql] : []),
  ];
  const hosts = used.map((image) => {
    const host = image.split('/')[0] ?? '';
    const mirror = images.mirrors.find(({ registry }) => registry === host)?.mirror;
    return mirror?.split('/')[0] ?? host;
  });
  return [...new Set(hosts)].toSorted();
}

/** The root of the distribution API answers 200, or 401 to whoever has not signed in. */
async function problemOf(registry: string, signal: AbortSignal): Promise<string | undefined> {
  // As container engines know it.
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  try {
    const { status } = await fetch(`https://${host}/v2/`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return status === 200 || status === 401 ? undefined : `status ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    const { cause = error } = error as Error;
    return (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
  }
}
