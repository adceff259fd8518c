import { z } from 'zod';
import { FlywheelError } from '@flywheel/base';
import { parseJson } from './parse-json.ts';

/** Attic's own limit on a body is 2 MiB; at 35 bytes a hash this stays under it. */
const HASHES_A_REQUEST = 20_000;

const MissingPaths = z.object({ missing_paths: z.array(z.string()) });

/** The bodies of the requests that ask which of these hashes `cache` does not have. */
export function* missingPathsBodies(cache: string, hashes: readonly string[]): Generator<Buffer> {
  for (let start = 0; start < hashes.length; start += HASHES_A_REQUEST) {
    const batch = hashes.slice(start, start + HASHES_A_REQUEST);
    yield Buffer.from(JSON.stringify({ cache, store_path_hashes: batch }));
  }
}

/** Reads the answer to one of them. Throws `unsupported`. */
export function parseMissingPaths(text: string, url: URL): readonly string[] {
  const parsed = MissingPaths.safeParse(parseJson(text)).data;
  if (parsed !== undefined) return parsed.missing_paths;
  throw new FlywheelError('unsupported', `${url.href} does not answer as a cache server does`);
}
