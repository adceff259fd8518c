import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from './child.ts';
import type { RunResult } from './child.ts';
import type { NixProgram } from './nix-program.ts';

/** Settings of nix.conf by name; a list is written with spaces. */
export type NixSettings = Readonly<Record<string, string | boolean | number | readonly string[]>>;

export interface NixStoreOptions {
  /** Lines of nix.conf over the defaults below, for instance `substituters`. */
  readonly settings?: NixSettings;
  /** The text of a netrc file, which nix is told to use. */
  readonly netrc?: string;
}

export interface NixRunOptions {
  /** Settings for this command only. */
  readonly settings?: NixSettings;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** One private store of a real nix. Its paths are /nix/store/… to nix, and lie under `folder`. */
export interface NixStore extends AsyncDisposable {
  readonly folder: string;
  /** The file that a store path is in reality. */
  realPath(storePath: string): string;
  /** Runs `nix …`, `nix-store …` or `nix-build …`. A failing status is an answer. */
  run(command: readonly string[], options?: NixRunOptions): Promise<RunResult>;
  /** The same for what must succeed: the standard output, trimmed. Throws with what nix said. */
  mustRun(command: readonly string[], options?: NixRunOptions): Promise<string>;
}

// /bin/sh and what a builder calls are the machine's own. Nix always builds in a mount namespace
// when its store is not at /nix/store, so `sandbox = false` alone would leave builders an empty /.
const HOST_PATHS = ['/bin', '/lib', '/lib64', '/usr'];

// Nix asks its hook even when there are no builders, and its own would start nix without its loader.
const NO_BUILD_HOOK = '#!/bin/sh\necho "# decline-permanently" >&2\nexec cat > /dev/null\n';

/** Lays an empty store in `folder`, which becomes its own: disposing removes it. */
export async function createNixStore(
  program: NixProgram,
  folder: string,
  options: NixStoreOptions,
): Promise<NixStore> {
  const conf = join(folder, 'conf');
  const home = join(folder, 'home');
  for (const path of [conf, home]) await mkdir(path, { recursive: true });
  const netrc = join(conf, 'netrc');
  if (options.netrc !== undefined) await writeFile(netrc, options.netrc, { mode: 0o600 });
  const hook = join(conf, 'build-hook');
  await writeFile(hook, NO_BUILD_HOOK, { mode: 0o755 });
  const settings: NixSettings = {
    store: `local?root=${join(folder, 'root')}`,
    'build-users-group': '',
    'build-hook': hook,
    builders: '',
    sandbox: false,
    'sandbox-paths': HOST_PATHS,
    substituters: '',
    'experimental-features': ['nix-command', 'flakes'],
    'require-sigs': true,
    ...(options.netrc === undefined ? {} : { 'netrc-file': netrc }),
    ...options.settings,
  };
  await writeFile(join(conf, 'nix.conf'), formatSettings(settings));
  const env = {
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: home,
    // The narinfo cache on disk lies here: two stores never share what they learnt of a server.
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_STATE_HOME: join(home, 'state'),
    NIX_CONF_DIR: conf,
    NIX_USER_CONF_FILES: '',
    NIX_STATE_DIR: join(folder, 'state'),
    NIX_LOG_DIR: join(folder, 'log'),
  };
  const run: NixStore['run'] = ([name = 'nix', ...args], more = {}) =>
    runChild([...program.command(name), ...args], {
      env: more.settings ? { ...env, NIX_CONFIG: formatSettings(more.settings) } : env,
      cwd: more.cwd ?? folder,
      ...(more.input === undefined ? {} : { input: more.input }),
      ...(more.timeoutMs === undefined ? {} : { timeoutMs: more.timeoutMs }),
    });
  return {
    folder,
    realPath: (storePath) => join(folder, 'root', storePath),
    run,
    async mustRun(command, more) {
      const result = await run(command, more);
      if (result.status === 0) return result.stdout.trim();
      throw new FlywheelError(
        'internal',
        `${command.join(' ')} of nix ${program.version} ended with ${result.status}:\n${result.stderr}`,
      );
    },
    async [Symbol.asyncDispose]() {
      // Store folders are read-only, which stops rm for everybody but root.
      const removal = 'chmod -R u+w "$0" && rm -rf "$0"';
      await runChild(['/bin/sh', '-c', removal, folder], { env, timeoutMs: 300_000 });
    },
  };
}

function formatSettings(settings: NixSettings): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = ${Array.isArray(value) ? value.join(' ') : String(value)}\n`,
  );
  return lines.join('');
}
