import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import { startChild, stopChild } from './child.ts';
import { freePort } from './free-port.ts';

export const S3_ACCESS_KEY = 'test-access';
export const S3_SECRET_KEY = 'test-secret';

/** A real S3 server on a loopback port. */
export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  /** Exists, and was empty at the start. */
  readonly bucket: string;
  /** What the SDK reads the credentials from. */
  readonly env: Readonly<Record<string, string>>;
}

interface S3Program {
  readonly bucket: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Starts what `prepare` says, in a temporary folder that goes with it, and waits until it answers. */
export async function startS3Server(
  name: string,
  prepare: (folder: string, port: number) => Promise<S3Program>,
): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const port = await freePort();
  const { bucket, command, env } = await prepare(folder, port);
  const child = startChild(command, { env: { ...env, HOME: folder } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-2000)));
  }
  const stop = async (): Promise<void> => {
    await stopChild(child);
    await rm(folder, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 600 && child.exitCode === null; tries += 1) {
    // Refused without credentials, which only a server that is ready can do.
    const answer = await fetch(`${endpoint}/${bucket}`).catch(() => undefined);
    if (answer?.status === 403) {
      const credentials = {
        AWS_ACCESS_KEY_ID: S3_ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY: S3_SECRET_KEY,
      };
      return { endpoint, bucket, env: credentials, [Symbol.asyncDispose]: stop };
    }
    await sleep(50);
  }
  await stop();
  throw new FlywheelError('unavailable', `${name} did not start on port ${port}: ${said}`);
}
