import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import { runChild, startChild, stopChild } from './child.ts';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import { freePort } from './free-port.ts';
import type { Missing } from './missing.ts';

const VERSION = '1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;
const BUILD_TIMEOUT_MS = 15 * 60_000;

export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  readonly bucket: string;
  /** What the SDK reads the credentials from. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The Versity S3 gateway over a temporary folder, with one empty bucket. It is built with Go on
 * first use (two to three minutes) and kept.
 */
export async function startVersity(): Promise<S3Server | Missing> {
  const program = await findVersity();
  if (typeof program !== 'string') return program;
  const folder = await mkdtemp(join(tmpdir(), 'versity-'));
  const bucket = 'flywheel-test';
  await mkdir(join(folder, 'data', bucket), { recursive: true });
  const port = await freePort();
  const credentials = { AWS_ACCESS_KEY_ID: 'test-access', AWS_SECRET_ACCESS_KEY: 'test-secret' };
  const env = {
    ROOT_ACCESS_KEY: credentials.AWS_ACCESS_KEY_ID,
    ROOT_SECRET_KEY: credentials.AWS_SECRET_ACCESS_KEY,
    HOME: folder,
  };
  const options = ['--port', `127.0.0.1:${port}`, '--quiet'];
  const child = startChild([program, ...options, 'posix', join(folder, 'data')], { env });
  let said = '';
  child.stdout?.on('data', (piece: Buffer) => (said += piece.toString()));
  child.stderr?.on('data', (piece: Buffer) => (said += piece.toString()));
  const stop = async (): Promise<void> => {
    await stopChild(child);
    await rm(folder, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200 && child.exitCode === null; tries += 1) {
    const answer = await fetch(endpoint).catch(() => undefined);
    if (answer !== undefined) {
      return { endpoint, bucket, env: credentials, [Symbol.asyncDispose]: stop };
    }
    await sleep(50);
  }
  await stop();
  throw new FlywheelError(
    'unavailable',
    `versitygw did not start on port ${port}: ${said.slice(-2000)}`,
  );
}

async function findVersity(): Promise<string | Missing> {
  const go = await goProgram();
  if (go === undefined) return { missing: 'no Go to build the S3 server versitygw with' };
  const folder = join(enginesFolder(), `versitygw-${VERSION}`);
  await buildOnce(folder, async (draft) => {
    const home = process.env['HOME'] ?? homedir();
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
      HOME: home,
      GOBIN: join(draft, 'bin'),
      CGO_ENABLED: '0',
    };
    const built = await runChild([go, 'install', MODULE], { env, timeoutMs: BUILD_TIMEOUT_MS });
    if (built.status !== 0) {
      throw new FlywheelError('unavailable', `build versitygw: ${built.stderr.slice(-2000)}`);
    }
    await copyFile(join(draft, 'bin', 'versitygw'), join(draft, 'versitygw'));
    await rm(join(draft, 'bin'), { recursive: true });
  });
  return join(folder, 'versitygw');
}

async function goProgram(): Promise<string | undefined> {
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
