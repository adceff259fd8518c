import { join } from 'node:path';
import { formatBytes } from '@flywheel/base';
import { CacheClient, LocalStore } from '@flywheel/client';
import type { PathSource } from '@flywheel/client';
import type { CliContext } from '../context.ts';
import { reportError } from '../exit.ts';
import type { ErrorReport } from '../exit.ts';
import type { Server } from '../caches/find-server.ts';
import type { Output } from '../output/index.ts';
import { paths } from '../transfer/count.ts';
import { buildFlake, canBuildFlake } from '../wheel/flake.ts';
import { packWheel } from '../wheel/pack.ts';
import type { Wheel } from '../wheel/pack.ts';
import { feed } from './feed.ts';
import type { Fed } from './feed.ts';

/** One turn of the wheel: how far it got, and what went wrong. */
export interface Turn {
  readonly ok: boolean;
  readonly seconds: number;
  /** The packed program: the path that has `bin/flywheel`. */
  readonly top?: string;
  readonly fed?: Fed;
  readonly problems: readonly ErrorReport[];
}

/** What a turn works on. */
export interface Site {
  readonly context: CliContext;
  readonly output: Output;
  readonly server: Server;
  readonly cache: string;
}

/** Packs this program, pushes it to the cache and pulls it back. Throws only when interrupted. */
export async function turnWheel(site: Site): Promise<Turn> {
  let wheel: Wheel | undefined;
  const turn = await turnWith(site, async () => {
    wheel = await pack(site);
    return wheel.paths;
  });
  return wheel === undefined ? turn : { ...turn, top: wheel.top };
}

/**
 * The same with the closure of what the flake builds; the reason where nothing can be built, and
 * undefined where nobody would expect it. Throws only when interrupted.
 */
export async function turnFlake(
  site: Site,
): Promise<Turn | { readonly skipped: string } | undefined> {
  const { context, output } = site;
  if (!canBuildFlake(context)) return undefined;
  using building = output.step('Building the flake', { unit: 'items' });
  const built = await buildFlake(context);
  if ('skipped' in built) {
    building[Symbol.dispose]();
    output.note(`– No flake output was built: ${built.skipped}`);
    return built;
  }
  building.finish(paths(built.storePaths.length));
  return turnWith(site, () => new LocalStore().closure(built.storePaths));
}

async function turnWith(
  { context, output, server, cache }: Site,
  prepare: () => Promise<readonly PathSource[]>,
): Promise<Turn> {
  const startedMs = context.clock.now();
  const end = (problems: readonly ErrorReport[], fed?: Fed): Turn => ({
    ok: problems.length === 0,
    seconds: (context.clock.now() - startedMs) / 1000,
    ...(fed === undefined ? {} : { fed }),
    problems,
  });
  try {
    const sources = await prepare();
    using client = new CacheClient({ ...server, cache });
    const fed = await feed(context, output, client, sources);
    return end(fed.problems, fed);
  } catch (error) {
    context.signal.throwIfAborted();
    return end([reportError(error)]);
  }
}

async function pack({ context, output }: Site): Promise<Wheel> {
  using step = output.step('Packing', { unit: 'items' });
  let packed = 0;
  const wheel = await packWheel({
    program: join(context.root, 'packages', 'flywheel'),
    node: context.node,
    signal: context.signal,
    onProgress({ done, total }) {
      step.setTotal(total);
      step.advance(done - packed);
      packed = done;
    },
  });
  const bytes = wheel.paths.reduce((sum, { narSize }) => sum + narSize, 0);
  step.finish(`${paths(wheel.paths.length)}, ${formatBytes(bytes)}`);
  return wheel;
}
