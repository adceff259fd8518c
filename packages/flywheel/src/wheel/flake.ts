import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import type { CliContext } from '../context.ts';

/** The outputs of the checkout's flake, or why there are none. */
export type FlakeBuild = { readonly storePaths: readonly string[] } | { readonly skipped: string };

const BUILD_LIMIT_MS = 30 * 60_000;
const OUTPUT_LIMIT_BYTES = 64 * 1024 ** 2;

/**
 * Whether the checkout has a flake and this machine has Nix. Without git the flake would be the
 * whole folder, and Nix would copy node_modules with it.
 */
export function canBuildFlake(context: CliContext): boolean {
  const { root } = context;
  if (!existsSync(join(root, 'flake.nix')) || !existsSync(join(root, '.git'))) return false;
  const path = context.process.env['PATH'] ?? '';
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.some((folder) => existsSync(join(folder, 'nix')));
}

/** Builds the flake's default package. Throws only when it is interrupted. */
export async function buildFlake(context: CliContext): Promise<FlakeBuild> {
  const features = ['--extra-experimental-features', 'nix-command flakes'];
  const args = [...features, 'build', '--no-link', '--json', context.root];
  const { failure, stdout, stderr } = await run(context, args);
  context.signal.throwIfAborted();
  if (failure !== undefined) return { skipped: reasonIn(stderr) ?? failure };
  const storePaths = outputPaths(stdout);
  return storePaths.length > 0
    ? { storePaths }
    : { skipped: 'nix build does not tell its outputs' };
}

async function run(
  context: CliContext,
  args: readonly string[],
): Promise<{ failure?: string; stdout: string; stderr: string }> {
  const { signal, root } = context;
  const { env } = context.process;
  const options = {
    cwd: root,
    env,
    signal,
    timeout: BUILD_LIMIT_MS,
    maxBuffer: OUTPUT_LIMIT_BYTES,
  };
  return await new Promise((resolve) => {
    execFile('nix', args, options, (error, stdout, stderr) => {
      resolve({ ...(error === null ? {} : { failure: error.message }), stdout, stderr });
    });
  });
}

/** The sentence that tells most: Nix ends with it. */
function reasonIn(stderr: string): string | undefined {
  const errors = stderr.match(/^\s*error: .+$/gm) ?? [];
  return errors
    .at(-1)
    ?.trim()
    .replace(/^error: /, '');
}

/** `[{"drvPath": …, "outputs": {"out": "/nix/store/…"}}]` */
const Built = z.array(z.object({ outputs: z.record(z.string(), z.string()) }));

function outputPaths(stdout: string): readonly string[] {
  try {
    return Built.parse(JSON.parse(stdout)).flatMap(({ outputs }) => Object.values(outputs));
  } catch {
    return [];
  }
}
