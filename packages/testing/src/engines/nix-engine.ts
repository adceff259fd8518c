import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@flywheel/base';
import type { Missing } from './missing.ts';
import { nixFromDebian, nixOnPath } from './nix-program.ts';
import type { NixProgram } from './nix-program.ts';
import { createNixStore } from './nix-store.ts';
import type { NixStore, NixStoreOptions } from './nix-store.ts';

/** The oldest and the newest nix that users of this project are expected to have. */
export const NIX_VERSIONS = ['2.8', '2.34'] as const;
export type NixVersion = (typeof NIX_VERSIONS)[number];

const DEBIAN_RELEASE: Readonly<Record<NixVersion, string>> = { '2.8': 'bookworm', '2.34': 'forky' };

/** A real nix, from which tests open as many private stores as they need. */
export interface NixEngine {
  /** Its full version. A moving Debian release may have gone past the one that was asked for. */
  readonly version: string;
  /** An empty store with its own settings, home folder and caches. The caller disposes of it. */
  openStore(options?: NixStoreOptions): Promise<NixStore>;
}

const found = new Map<NixVersion, Promise<NixEngine | Missing>>();

/**
 * Finds a nix of this version: on PATH, or among the unpacked Debian packages, which are fetched
 * on first use (once per machine, about 20 seconds). Where that cannot be, says why.
 */
export function findNix(version: NixVersion): Promise<NixEngine | Missing> {
  let answer = found.get(version);
  if (answer === undefined) {
    answer = look(version, process.env).then(engineOf, (error: unknown) => ({
      missing: `nix ${version}: ${messageOf(error)}`,
    }));
    found.set(version, answer);
  }
  return answer;
}

async function look(version: NixVersion, env: NodeJS.ProcessEnv): Promise<NixProgram> {
  const here = await nixOnPath(env).catch(() => undefined);
  if (here?.version.startsWith(`${version}.`)) return here;
  return nixFromDebian(DEBIAN_RELEASE[version], env);
}

function engineOf(program: NixProgram): NixEngine {
  return {
    version: program.version,
    async openStore(options = {}) {
      const folder = await mkdtemp(join(tmpdir(), `nix-${program.version}-`));
      return createNixStore(program, folder, options);
    },
  };
}
