import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

const PAGE = resolve(import.meta.dirname, '../../docs/cache/front-server.md');

/** The nginx configuration of the documentation, for the cache of this test. */
export async function documentedSite(cache: {
  readonly dataDir: string;
  readonly cacheUrl: string;
}): Promise<(port: number) => string> {
  const block = /```nginx\n(.*?)```/s.exec(await readFile(PAGE, 'utf8'))?.[1] ?? '';
  const replaced = block
    .replace('127.0.0.1:8080', new URL(cache.cacheUrl).host)
    .replace('/srv/flywheel', cache.dataDir);
  return (port) => replaced.replace('listen 80;', `listen 127.0.0.1:${port};`);
}
