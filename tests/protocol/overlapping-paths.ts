import { createCipheriv } from 'node:crypto';
import { samplePath, type SamplePath } from './harness.ts';

/** Two paths; what the smaller one begins with is at the beginning of the bigger one too. */
export async function overlappingPaths(): Promise<{
  readonly big: SamplePath;
  readonly small: SamplePath;
}> {
  const content = noise(2_000_000, 1);
  const beginning = content.subarray(0, 500_000);
  return {
    big: await samplePath('big', content),
    small: await samplePath('small', Buffer.concat([beginning, noise(50_000, 2)])),
  };
}

/** The same each time, so that it is cut into the same chunks. */
function noise(size: number, seed: number): Buffer {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}
