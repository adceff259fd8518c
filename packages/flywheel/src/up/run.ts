import { dataDirectory as pathsIn, startCacheServer } from '@flywheel/cache';
import manifest from '../../package.json' with { type: 'json' };
import type { CacheConfig } from '../caches/cache-api.ts';
import { nixConfLines } from '../caches/nix-conf.ts';
import type { CliContext } from '../context.ts';
import { dataDirectory } from '../data-directory.ts';
import { EXIT_FAILED } from '../exit.ts';
import { interrupted } from '../interruption.ts';
import type { ListenAddress } from '../listen-address.ts';
import { requireDataDirectory } from '../doctor/data-directory.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { describeTurn } from './describe-turn.ts';
import { noteLogger } from './note-logger.ts';
import { readyCache } from './ready-cache.ts';
import { turnFlake, turnWheel } from './turn.ts';
import type { Site, Turn } from './turn.ts';

export interface UpFlags extends OutputFlags {
  readonly data?: string;
  readonly listen: ListenAddress;
  readonly once?: boolean;
  readonly flake: boolean;
}

/** The cache that the wheel feeds. */
const CACHE = 'flywheel';

/** Serves the embedded site, turns the wheel once, and serves on until it is asked to end. */
export async function runUp(context: CliContext, flags: UpFlags): Promise<void> {
  const output = createOutput(context, flags);
  const data = dataDirectory(context, flags.data);
  const turns: Turn[] = [];
  await requireDataDirectory(data);
  const server = await startCacheServer({
    dataDir: data,
    listen: flags.listen,
    version: manifest.version,
    clock: context.clock,
    logger: noteLogger(output),
    status: () => ({ last_turn: statusOf(turns) }),
  });
  try {
    output.print(`${output.style('bold', `Glorious Flywheel ${manifest.version}`)} ${server.url}`);
    output.print(`Data: ${data}`);
    output.print();
    const remote = { endpoint: server.url, token: server.adminToken };
    const site: Site = { context, output, server: remote, cache: CACHE };
    const config = await readyCache(remote, CACHE, context.signal);
    const turn = await turnWheel(site);
    turns.push(turn);
    printTurn(output, turn);
    printUse(output, { config, turn, url: server.url, tokenFile: pathsIn(data).adminToken });
    const flake = flags.flake ? await turnFlake(site) : undefined;
    if (flake !== undefined && 'ok' in flake) {
      turns.push(flake);
      printTurn(output, flake, 'The flake:');
    }
    const ok = turns.every((each) => each.ok);
    output.result({ ok, url: server.url, data, cache: { name: CACHE, ...config }, turn, flake });
    if (flags.once === true) {
      if (!ok) context.process.exitCode = EXIT_FAILED;
      return;
    }
    output.print('It keeps running; Ctrl-C ends it.');
    await interrupted(context.signal);
  } finally {
    await server.close();
  }
}

function statusOf(turns: readonly Turn[]): { ok?: boolean; lines: readonly string[] } {
  if (turns.length === 0) return { lines: ['It is turning for the first time since the start.'] };
  const lines = turns.flatMap((turn) => [
    ...describeTurn(turn).map(([name, value]) => `${name}: ${value}`),
    ...turn.problems.map(({ message }) => `failed: ${message}`),
  ]);
  return { ok: turns.every(({ ok }) => ok), lines };
}

function printTurn(output: Output, turn: Turn, title?: string): void {
  const rows = describeTurn(turn).map(([name, value]) => [output.style('dim', name), value]);
  output.print();
  output.print(title ?? (turn.ok ? 'The wheel has turned once:' : 'The wheel could not turn:'));
  output.print();
  output.print(indent(formatTable(rows)));
  output.print();
  for (const problem of turn.problems) output.problem(problem);
  if (!turn.ok) output.print();
}

function printUse(
  output: Output,
  use: {
    readonly config: CacheConfig;
    readonly turn: Turn;
    readonly url: string;
    readonly tokenFile: string;
  },
): void {
  const { config, turn, url, tokenFile } = use;
  const substituter = config.substituter_endpoint ?? `${url}${CACHE}`;
  const server = url.replace(/\/$/, '');
  output.print('To use the cache, in nix.conf:');
  output.print();
  for (const line of nixConfLines(substituter, config.public_key)) output.print(indent(line));
  output.print();
  output.print("With Attic's client:");
  output.print();
  output.print(indent(`attic login ${CACHE} ${server} "$(cat ${quoted(tokenFile)})"`));
  output.print();
  if (!turn.ok || turn.top === undefined) return;
  output.print('Any machine with Nix that uses it can then run what was packed here:');
  output.print();
  output.print(indent(`$(nix-store --realise ${turn.top})/bin/flywheel`));
  output.print();
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ');
}

/** For a shell, when it needs it. */
function quoted(path: string): string {
  return /^[\w/.+@%:,=-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
