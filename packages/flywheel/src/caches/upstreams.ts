import { FlywheelError } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { readUpstreams, writeUpstreams } from './upstream-api.ts';

export type UpstreamFlags = OutputFlags & ServerFlags;

export async function runUpstreamList(
  context: CliContext,
  flags: UpstreamFlags,
  cache: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const upstreams = await readUpstreams(server, cache, context.signal);
  if (upstreams.length === 0) output.print(`${cache} has no upstream caches.`);
  else {
    const rows = upstreams.flatMap(({ url, public_keys: keys }) =>
      keys.map((key, place) => [place === 0 ? url : '', key]),
    );
    output.print(formatTable([['URL', 'PUBLIC KEY'], ...rows]));
  }
  output.result({ cache, upstreams });
}

/** Puts it behind the others; one with that URL keeps its place and gets these keys. */
export async function runUpstreamAdd(
  context: CliContext,
  flags: UpstreamFlags,
  ...[cache = '', url = '', ...keys]: readonly string[]
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const wanted = { url: withSlash(url), public_keys: keys };
  const present = await readUpstreams(server, cache, context.signal);
  const upstreams = present.some((each) => each.url === wanted.url)
    ? present.map((each) => (each.url === wanted.url ? wanted : each))
    : [...present, wanted];
  await writeUpstreams(server, cache, upstreams, context.signal);
  output.print(
    `${cache} now takes what it lacks from ${upstreams.map((each) => each.url).join(', ')}.`,
  );
  output.result({ cache, upstreams });
}

export async function runUpstreamRemove(
  context: CliContext,
  flags: UpstreamFlags,
  cache: string,
  url: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const present = await readUpstreams(server, cache, context.signal);
  const upstreams = present.filter((each) => each.url !== withSlash(url));
  if (upstreams.length === present.length) {
    throw new FlywheelError('not-found', `${url} is no upstream cache of ${cache}`, {
      details: { hint: `./flywheel cache upstream list ${cache}` },
    });
  }
  await writeUpstreams(server, cache, upstreams, context.signal);
  output.print(`${cache} asks ${withSlash(url)} no more. What it has from there stays.`);
  output.result({ cache, upstreams });
}

/** As the server keeps them. */
function withSlash(url: string): string {
  return URL.canParse(url) ? new URL(url).href.replace(/\/*$/, '/') : url;
}
