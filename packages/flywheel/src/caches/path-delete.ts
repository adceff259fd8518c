import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { deletePath } from './path-api.ts';
import { pathHashOf } from './path-hash.ts';

export interface PathDeleteFlags extends OutputFlags, ServerFlags {
  readonly force?: boolean;
}

export async function runPathDelete(
  context: CliContext,
  flags: PathDeleteFlags,
  cache: string,
  ...paths: readonly string[]
): Promise<void> {
  const output = createOutput(context, flags);
  // All of them are read before the first one goes.
  const hashes = paths.map(pathHashOf);
  const server = await findServer(context, flags);
  const deleted: string[] = [];
  for (const hash of hashes) {
    const path = await deletePath(server, cache, hash, flags.force === true, context.signal);
    output.print(`Deleted ${path} from ${cache}.`);
    deleted.push(path);
  }
  output.result({ cache, deleted });
}
