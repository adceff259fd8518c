import { copyFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from './child.ts';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import type { Missing } from './missing.ts';

const BUILD_TIMEOUT_MS = 25 * 60_000;

export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** Path and version of the module's command, as `go install` takes it. */
  readonly module: string;
}

/** Where the program is, which is built with Go on first use and kept. */
export async function goInstall({ name, version, module }: GoProgram): Promise<string | Missing> {
  const folder = join(enginesFolder(), `${name}-${version}`);
  const go = await goCommand();
  if (go === undefined) return { missing: `no Go to build ${name} with` };
  await buildOnce(folder, async (draft) => {
    const env = {
      ...inherited([
        'PATH',
        'GOPROXY',
        'GOFLAGS',
        'GONOSUMDB',
        'GOSUMDB',
        'SSL_CERT_FILE',
        'HTTPS_PROXY',
      ]),
      HOME: process.env['HOME'] ?? homedir(),
      GOBIN: join(draft, 'bin'),
      CGO_ENABLED: '0',
    };
    const command = [go, 'install', '-ldflags', '-s -w', module];
    const built = await runChild(command, { env, timeoutMs: BUILD_TIMEOUT_MS });
    if (built.status !== 0) {
      throw new FlywheelError('unavailable', `build ${name}: ${built.stderr.slice(-2000)}`);
    }
    await copyFile(join(draft, 'bin', name), join(draft, name));
    await rm(join(draft, 'bin'), { recursive: true });
  });
  return join(folder, name);
}

async function goCommand(): Promise<string | undefined> {
  for (const candidate of ['go', '/usr/local/go/bin/go']) {
    const env = inherited(['PATH', 'HOME']);
    const found = await runChild([candidate, 'version'], { env }).catch(() => undefined);
    if (found?.status === 0) return candidate;
  }
  return undefined;
}

function inherited(names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
