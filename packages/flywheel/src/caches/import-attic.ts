import { resolve } from 'node:path';
import { FlywheelError, formatBytes } from '@flywheel/base';
import { importAttic, type AtticLocation, type ImportedAttic } from '@flywheel/cache';
import type { CliContext } from '../context.ts';
import { dataDirectory, tokenKeysFolder } from '../data-directory.ts';
import { EXIT_FAILED } from '../exit.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { databaseUrl } from './database-url.ts';
import { s3Location, type S3Flags } from './s3-location.ts';
import { showSteps } from './show-steps.ts';

export interface ImportAtticFlags extends OutputFlags, S3Flags {
  readonly atticDatabase: string;
  readonly atticStorage: string;
  readonly atticEndpoint?: string;
  readonly atticTokenFile?: string;
  readonly dryRun?: boolean;
  readonly verify?: number | 'all';
  readonly finish?: boolean;
  readonly data?: string;
  readonly databaseFile?: string;
  readonly tokenKeys?: string;
}

export async function runCacheImportAttic(
  context: CliContext,
  flags: ImportAtticFlags,
): Promise<void> {
  if (flags.dryRun === true && (flags.finish === true || flags.verify !== undefined)) {
    throw new FlywheelError(
      'invalid-input',
      '--dry-run writes nothing: it does not go together with --finish or --verify',
    );
  }
  const output = createOutput(context, flags);
  const shown = showSteps(output);
  try {
    const imported = await importAttic(
      {
        atticDatabase: resolve(context.cwd, flags.atticDatabase),
        atticStorage: storageOf(context, flags),
        atticTokenFile: flags.atticTokenFile && resolve(context.cwd, flags.atticTokenFile),
        dataDir: dataDirectory(context, flags.data),
        database: await databaseUrl(context, flags.databaseFile),
        s3: s3Location(context, flags),
        tokenKeys: tokenKeysFolder(context, flags.tokenKeys),
        dryRun: flags.dryRun === true,
        verify: flags.verify,
        finish: flags.finish === true,
        signal: context.signal,
        report: shown.report,
      },
      context.clock,
    );
    shown.finish();
    describeImported(output, imported);
    output.result(imported);
    if ((imported.verified?.damaged.length ?? 0) > 0) context.process.exitCode = EXIT_FAILED;
  } finally {
    shown[Symbol.dispose]();
  }
}

function storageOf(context: CliContext, flags: ImportAtticFlags): AtticLocation {
  const bucket = /^s3:\/\/([^/]+)\/?$/.exec(flags.atticStorage)?.[1];
  if (bucket === undefined) {
    if (!flags.atticStorage.startsWith('s3:')) {
      return { kind: 'folder', path: resolve(context.cwd, flags.atticStorage) };
    }
    throw new FlywheelError('invalid-input', `"${flags.atticStorage}" is no bucket`, {
      details: { hint: 'write s3://BUCKET: atticd keeps its chunks at the root of the bucket' },
    });
  }
  const ours = s3Location(context, flags);
  return {
    kind: 's3',
    bucket,
    endpoint: flags.atticEndpoint ?? ours?.endpoint,
    region: ours?.region,
    pathStyle: ours?.pathStyle,
  };
}

/** Of a long list; --json has all of it. */
const SHOWN = 10;

function describeImported(output: Output, imported: ImportedAttic): void {
  const { caches, newPaths, copiedPaths, knownPaths, leftOut, verified, tokenKey } = imported;
  const done = imported.dryRun ? 'Would take over' : 'Took over';
  output.print(
    `${done} ${newPaths} paths in place and ${copiedPaths} as copies, in ${caches.length} caches: ${caches.join(', ')}.`,
  );
  if (knownPaths > 0) output.print(`${knownPaths} paths were there already.`);
  output.print(
    `The storage has ${imported.objects} whole zstd chunks with ${formatBytes(imported.bytes)}.`,
  );
  for (const name of imported.otherKeys) {
    output.note(`${name} was there with another signing key, which it keeps.`);
  }
  if (imported.unfinishedChunks > 0) {
    output.note(`${imported.unfinishedChunks} chunks are what broken uploads have left.`);
  }
  listSome(
    output,
    `${leftOut.length} paths are left out; push them, and they are there:`,
    leftOut.map(({ cache, storePath, reason }) => `${cache}: ${storePath}: ${reason}`),
  );
  if (verified !== undefined) {
    output.print(`Verified ${verified.nars} NARs: ${verified.damaged.length} are damaged.`);
    listSome(output, 'Missing from now on are NARs with the hashes:', verified.damaged);
  }
  if (tokenKey !== undefined) {
    const are = imported.dryRun ? 'would be' : 'are';
    output.print(`Tokens of the ${tokenKey.algorithm} key ${tokenKey.kid} ${are} good here.`);
  }
  if (imported.finished) {
    output.print('The takeover is finished: the next gc removes the chunks that no path needs.');
  }
}

function listSome(output: Output, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  output.note(title);
  for (const line of lines.slice(0, SHOWN)) output.note(`  ${line}`);
  if (lines.length > SHOWN) output.note(`  … and ${lines.length - SHOWN} more: --json lists all.`);
}
