import { isAbsolute, join, resolve } from 'node:path';
import type { CliContext } from './context.ts';

/**
 * Where the embedded site keeps its data: --data, else $XDG_DATA_HOME/flywheel, else
 * ~/.local/share/flywheel. Absolute. The XDG specification has relative values ignored.
 */
export function dataDirectory(context: CliContext, flag?: string): string {
  if (flag !== undefined) return resolve(context.cwd, flag);
  const xdg = context.process.env['XDG_DATA_HOME'];
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(context.home, '.local', 'share');
  return join(base, 'flywheel');
}

/** A path from a flag, else from a variable of the environment. Absolute; undefined: in neither. */
export function pathFrom(
  context: CliContext,
  flag: string | undefined,
  variable: string,
): string | undefined {
  const given = flag ?? context.process.env[variable] ?? '';
  return given === '' ? undefined : resolve(context.cwd, given);
}

/** Folder with the keys of tokens: --token-keys, else $FLYWHEEL_TOKEN_KEYS, else the server's own. */
export function tokenKeysFolder(context: CliContext, flag: string | undefined): string | undefined {
  return pathFrom(context, flag, 'FLYWHEEL_TOKEN_KEYS');
}
