import { formatBytes } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { listPaths } from './path-api.ts';
import type { ListedPath, PathSort } from './path-api.ts';

export interface PathListFlags extends OutputFlags, ServerFlags {
  readonly sort: PathSort;
  readonly limit: number;
}

export async function runPathList(
  context: CliContext,
  flags: PathListFlags,
  cache: string,
  search?: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const { sort, limit } = flags;
  const paths = await listPaths(server, cache, { search, sort }, limit, context.signal);
  const such = search === undefined ? '' : ` that matches "${search}"`;
  if (paths.length === 0) output.print(`No path in ${cache}${such}.`);
  else output.print(formatTable([HEAD, ...paths.map(rowOf)]));
  if (paths.length === limit) output.note('There may be more: raise --limit.');
  output.result({ cache, paths });
}

const HEAD = ['PUSHED', 'LAST USED', 'BY', 'NAR SIZE', 'DOWNLOAD', 'PATH'];

function rowOf(path: ListedPath): readonly string[] {
  return [
    path.created_at.slice(0, 16),
    path.last_used_at.slice(0, 16),
    path.created_by ?? '–',
    formatBytes(path.nar_size),
    formatBytes(path.file_size),
    path.damaged ? `${path.store_path} (damaged)` : path.store_path,
  ];
}
