import { expect, test } from 'vitest';
import { UploadGate } from './upload-gate.ts';

function held() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { work: () => promise, end: resolve };
}

test('places are handed on in order, also after a failure', async () => {
  const gate = new UploadGate({ limit: 1, waitMs: 10_000 });
  const first = held();
  const order: string[] = [];
  const running = gate.run(first.work);
  const failing = gate.run(async () => {
    order.push('second');
    throw new Error('a broken NAR');
  });
  const last = gate.run(async () => void order.push('third'));
  expect([gate.inFlight, gate.waiting]).toEqual([1, 2]);
  first.end();
  await expect(failing).rejects.toThrow('a broken NAR');
  await Promise.all([running, last]);
  expect(order).toEqual(['second', 'third']);
  expect([gate.inFlight, gate.waiting, gate.refused]).toEqual([0, 0, 0]);
});

test('who has waited too long is refused, and its place in the queue is gone', async () => {
  const gate = new UploadGate({ limit: 1, waitMs: 20 });
  const first = held();
  const running = gate.run(first.work);
  let ran = false;
  await expect(gate.run(async () => void (ran = true))).rejects.toMatchObject({
    code: 'unavailable',
    details: { wire: 'Busy' },
  });
  first.end();
  await running;
  await gate.run(async () => {});
  expect([ran, gate.inFlight, gate.waiting, gate.refused]).toEqual([false, 0, 0, 1]);
});

test('when it closes nobody waits any more, but who has a place keeps it', async () => {
  const gate = new UploadGate({ limit: 1, waitMs: 10_000 });
  const first = held();
  const running = gate.run(first.work);
  const waiting = gate.run(async () => {});
  gate.close();
  await expect(waiting).rejects.toMatchObject({ details: { wire: 'Busy' } });
  await expect(gate.run(async () => {})).rejects.toMatchObject({ details: { wire: 'Busy' } });
  first.end();
  await running;
  expect(await gate.run(async () => 'the last')).toBe('the last');
});
