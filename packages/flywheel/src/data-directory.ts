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
