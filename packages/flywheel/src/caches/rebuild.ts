import { rebuildDatabase, type Rebuilt } from '@flywheel/cache';
import type { CliContext } from '../context.ts';
import { dataDirectory, tokenKeysFolder } from '../data-directory.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { databaseUrl } from './database-url.ts';
import { s3Location, type S3Flags } from './s3-location.ts';
import { showSteps } from './show-steps.ts';

export interface RebuildFlags extends OutputFlags, S3Flags {
  readonly data?: string;
  readonly databaseFile?: string;
  readonly tokenKeys?: string;
  readonly intoExisting?: boolean;
}

export async function runCacheRebuild(context: CliContext, flags: RebuildFlags): Promise<void> {
  const output = createOutput(context, flags);
  const shown = showSteps(output);
  try {
    const rebuilt = await rebuildDatabase(
      {
        dataDir: dataDirectory(context, flags.data),
        database: await databaseUrl(context, flags.databaseFile),
        s3: s3Location(context, flags),
        tokenKeys: tokenKeysFolder(context, flags.tokenKeys),
        intoExisting: flags.intoExisting === true,
        signal: context.signal,
        report: shown.report,
      },
      context.clock,
    );
    shown.finish();
    describeRebuilt(output, rebuilt);
    output.result(rebuilt);
  } finally {
    shown[Symbol.dispose]();
  }
}

function describeRebuilt(output: Output, rebuilt: Rebuilt): void {
  const { packs, nars, paths, caches, snapshot } = rebuilt;
  output.print(
    `The database knows ${caches.length} caches, ${paths} paths, ${nars} NARs and ${packs} packs.`,
  );
  output.print(
    snapshot === undefined
      ? 'There was no snapshot: settings, keys and pins of caches are lost, and so is what only a snapshot knows of paths.'
      : `Caches, pins and paths are those of ${new Date(snapshot.createdAt).toISOString()}, with what packs tell of later pushes.`,
  );
  for (const key of rebuilt.damagedSnapshots)
    output.note(`${key} is damaged: an older one was used.`);
  for (const name of rebuilt.newKeys) {
    output.note(`${name} has a new signing key: clients must trust it, or set the old one again.`);
  }
  for (const key of rebuilt.damagedPacks) output.note(`pack ${key} has a damaged index.`);
  if (rebuilt.incompleteNars > 0) {
    output.note(`${rebuilt.incompleteNars} NARs have a part in no pack.`);
  }
  if (rebuilt.pathsWithoutNar > 0) {
    output.note(`${rebuilt.pathsWithoutNar} paths have their NAR in no pack: push them again.`);
  }
  if (rebuilt.namelessPacks > 0) {
    output.note(`${rebuilt.namelessPacks} late packs do not say which path they are (nix copy).`);
  }
}
