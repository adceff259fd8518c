import { createLogger } from '@flywheel/base';
import type { LogLevel } from '@flywheel/base';
import { startCacheServer } from '@flywheel/cache';
import manifest from '../../package.json' with { type: 'json' };
import type { CliContext } from '../context.ts';
import { dataDirectory } from '../data-directory.ts';
import { databaseUrl } from './database-url.ts';
import { interrupted } from '../interruption.ts';
import type { ListenAddress } from '../listen-address.ts';
import { requireDataDirectory } from '../doctor/data-directory.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';

export interface ServeFlags extends OutputFlags {
  readonly data?: string;
  readonly databaseFile?: string;
  readonly listen: ListenAddress;
  readonly metricsListen?: ListenAddress;
  readonly drain: number;
  readonly grace: number;
  /** Seconds; 0 is for ever. */
  readonly retention: number;
  readonly apiEndpoint?: string;
  readonly substituterEndpoint?: string;
  readonly allowedHost?: readonly string[];
  readonly logLevel: LogLevel;
}

export async function runCacheServe(context: CliContext, flags: ServeFlags): Promise<void> {
  const output = createOutput(context, flags);
  const { stdout, stderr } = context.process;
  const data = dataDirectory(context, flags.data);
  await requireDataDirectory(data);
  const server = await startCacheServer({
    dataDir: data,
    database: await databaseUrl(context, flags.databaseFile),
    listen: flags.listen,
    metricsListen: flags.metricsListen,
    retention: { defaultSeconds: flags.retention },
    shutdown: { drainMs: flags.drain, graceMs: flags.grace },
    settings: {
      allowedHosts: flags.allowedHost ?? [],
      apiEndpoint: flags.apiEndpoint,
      substituterEndpoint: flags.substituterEndpoint,
    },
    version: manifest.version,
    clock: context.clock,
    logger: createLogger((line) => stderr.write(line), flags.logLevel),
  });
  try {
    output.print(`The cache server listens on ${server.url} (data in ${data}). Ctrl-C ends it.`);
    // One line and no pretty document: whoever starts this waits for the line.
    if (output.json) {
      stdout.write(`${JSON.stringify({ url: server.url, pid: process.pid, data })}\n`);
    }
    await interrupted(context.signal);
  } finally {
    await server.close();
  }
}
