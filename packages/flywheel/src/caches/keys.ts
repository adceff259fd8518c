import {
  addKey,
  dataDirectory as pathsIn,
  readKeyFolder,
  removeKey,
  retireKey,
} from '@flywheel/cache';
import type { KeyFile, KeyFolder, TokenAlgorithm } from '@flywheel/cache';
import type { CliContext } from '../context.ts';
import { dataDirectory, tokenKeysFolder } from '../data-directory.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';

export interface KeyFlags extends OutputFlags {
  readonly tokenKeys?: string;
  readonly data?: string;
}

/** Within this the servers have read the folder again. */
const SOON = 'Servers that use this folder take that up within five seconds.';

export async function runKeyList(context: CliContext, flags: KeyFlags): Promise<void> {
  const output = createOutput(context, flags);
  const files = await readKeyFolder(keyFolder(context, flags));
  const signer = files.findLast(({ state }) => state === 'active');
  const rows = files.map((each) => [
    each.key.kid,
    each.key.algorithm,
    each === signer ? 'signs' : each.state,
    each.file,
  ]);
  output.print(formatTable([['KID', 'ALGORITHM', 'STATE', 'FILE'], ...rows]));
  output.result({ keys: files.map((each) => ({ ...shown(each), signs: each === signer })) });
}

export async function runKeyAdd(
  context: CliContext,
  flags: KeyFlags & { readonly algorithm: TokenAlgorithm; readonly verifyOnly?: boolean },
): Promise<void> {
  const output = createOutput(context, flags);
  const folder = keyFolder(context, flags);
  const { algorithm, verifyOnly } = flags;
  const added = await addKey(folder, algorithm, context.clock.now(), verifyOnly === true);
  output.print(`Added the ${algorithm} key ${added.key.kid}: ${folder.path}/${added.file}`);
  output.print(SOON);
  output.result(shown(added));
}

export async function runKeyRetire(
  context: CliContext,
  flags: KeyFlags,
  kid: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const retired = await retireKey(keyFolder(context, flags), kid);
  output.print(`The key ${retired.key.kid} signs no more; what it has signed stays good.`);
  output.print(SOON);
  output.result(shown(retired));
}

export async function runKeyRemove(
  context: CliContext,
  flags: KeyFlags,
  kid: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const removed = await removeKey(keyFolder(context, flags), kid);
  output.print(`Removed the key ${removed.key.kid}: the tokens that it has signed are worthless.`);
  output.print(SOON);
  output.result(shown(removed));
}

function keyFolder(context: CliContext, flags: KeyFlags): KeyFolder {
  const path = tokenKeysFolder(context, flags.tokenKeys);
  if (path !== undefined) return { path, prefix: '' };
  return pathsIn(dataDirectory(context, flags.data)).tokenKeys;
}

function shown({ file, state, key }: KeyFile) {
  return { kid: key.kid, algorithm: key.algorithm, state, file };
}
