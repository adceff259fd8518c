import { expect, test } from 'vitest';
import { FlywheelError, retry } from '@flywheel/base';
import { patience } from './patience.ts';

async function triesOf(error: Error): Promise<number> {
  let tries = 0;
  const work = (): Promise<never> => {
    tries += 1;
    return Promise.reject(error);
  };
  await expect(retry(work, { firstDelayMs: 0, ...patience(4) })).rejects.toBe(error);
  return tries;
}

test.each([
  ['a server that says 503', new FlywheelError('unavailable', '', { details: { status: 503 } }), 7],
  [
    'a gateway without a server',
    new FlywheelError('unavailable', '', { details: { status: 502 } }),
    4,
  ],
  ['a server that does not answer', new FlywheelError('unavailable', ''), 4],
  ['what is our own fault', new FlywheelError('invalid-input', ''), 1],
])('%s is tried again', async (_, error, tries) => {
  expect(await triesOf(error)).toBe(tries);
});
