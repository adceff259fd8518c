import { createLogger, FlywheelError } from '@flywheel/base';
import type { LogLevel } from '@flywheel/base';
import { migrateDatabase, parseSendFile, startCacheServer, whileAbsent } from '@flywheel/cache';
import type { Downloads, ServerRole } from '@flywheel/cache';
import manifest from '../../package.json' with { type: 'json' };
import type { CliContext } from '../context.ts';
import { dataDirectory, pathFrom, tokenKeysFolder } from '../data-directory.ts';
import { databaseUrl } from './database-url.ts';
import { interrupted } from '../interruption.ts';
import type { ListenAddress } from '../listen-address.ts';
import { requireDataDirectory } from '../doctor/data-directory.ts';
import { s3Location } from './s3-location.ts';
import type { S3Flags } from './s3-location.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';

export interface ServeFlags extends OutputFlags, S3Flags {
  readonly data?: string;
  readonly databaseFile?: string;
  readonly role: ServerRole | 'migrate';
  readonly downloads: Downloads;
  readonly sendFile?: string;
  readonly listen: ListenAddress;
  readonly metricsListen?: ListenAddress;
  /** Milliseconds. */
  readonly wait: number;
  readonly drain: number;
  readonly grace: number;
  /** Seconds; 0 is for ever. */
  readonly retention: number;
  /** Milliseconds; 0 is never. */
  readonly scrubEvery?: number;
  readonly checkReads?: boolean;
  readonly apiEndpoint?: string;
  readonly substituterEndpoint?: string;
  readonly allowedHost?: readonly string[];
  readonly tokenKeys?: string;
  readonly exchangePolicy?: string;
  readonly trustForwardedFor?: boolean;
  readonly requestsPerSecond?: number;
  readonly anonymousRequestsPerSecond?: number;
  readonly uploadPerSecond?: number;
  readonly auditDays: number;
  readonly logLevel: LogLevel;
}

export async function runCacheServe(context: CliContext, flags: ServeFlags): Promise<void> {
  const output = createOutput(context, flags);
  const { stdout, stderr } = context.process;
  const database = await databaseUrl(context, flags.databaseFile);
  const waiting = {
    waitMs: flags.wait,
    signal: context.signal,
    clock: context.clock,
    logger: createLogger((line) => stderr.write(line), flags.logLevel),
  };
  if (flags.role === 'migrate') {
    await migrateOnly(database, output, waiting);
    return;
  }
  const data = dataDirectory(context, flags.data);
  await requireDataDirectory(data);
  const server = await startCacheServer({
    dataDir: data,
    database,
    role: flags.role,
    s3: s3Location(context, flags),
    downloads: flags.downloads,
    sendFile: flags.sendFile === undefined ? undefined : parseSendFile(flags.sendFile),
    listen: flags.listen,
    metricsListen: flags.metricsListen,
    retention: { defaultSeconds: flags.retention },
    scrub: { everyMs: flags.scrubEvery },
    checkReads: flags.checkReads,
    shutdown: { drainMs: flags.drain, graceMs: flags.grace },
    settings: {
      allowedHosts: flags.allowedHost ?? [],
      apiEndpoint: flags.apiEndpoint,
      substituterEndpoint: flags.substituterEndpoint,
      trustForwardedFor: flags.trustForwardedFor === true,
    },
    tokenKeys: tokenKeysFolder(context, flags.tokenKeys),
    exchangePolicy: pathFrom(context, flags.exchangePolicy, 'FLYWHEEL_EXCHANGE_POLICY'),
    rates: {
      requestsPerSecond: flags.requestsPerSecond,
      anonymousRequestsPerSecond: flags.anonymousRequestsPerSecond,
      uploadBytesPerSecond: flags.uploadPerSecond,
    },
    auditDays: flags.auditDays,
    version: manifest.version,
    ...waiting,
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

async function migrateOnly(
  database: string | undefined,
  output: Output,
  waiting: Parameters<typeof whileAbsent>[1],
): Promise<void> {
  if (database === undefined) {
    throw new FlywheelError('invalid-input', 'SQLite is brought up to date by whoever opens it', {
      details: { hint: 'give the URL of a PostgreSQL database, or leave out --role' },
    });
  }
  const schemaVersion = await whileAbsent(() => migrateDatabase(database), waiting);
  output.print(`The database has schema version ${schemaVersion}.`);
  output.result({ schemaVersion });
}
