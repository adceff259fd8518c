import { describe, test } from 'vitest';
import { isMissing, startMinio, startVersity } from '@flywheel/testing';
import type { S3Server } from '@flywheel/testing';

const SERVERS = [
  ['the Versity gateway', startVersity],
  ['MinIO', startMinio],
] as const;

/** Declares the same tests for each S3 server; where one cannot be had, a skip that says why. */
export async function describeEachS3(
  subject: string,
  declare: (server: S3Server, name: string) => void,
): Promise<void> {
  for (const [name, start] of SERVERS) {
    const found = await start();
    describe(`${subject}: ${name}`, () => {
      if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
      else declare(found, name);
    });
  }
}
