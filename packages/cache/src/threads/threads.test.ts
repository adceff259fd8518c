import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runChild } from '@flywheel/testing';
import { Threads } from './threads.ts';

/** Chunks in memory that threads share, as the pool of frames hands it over. */
function share(threads: Threads, text: string) {
  const memory = new SharedArrayBuffer(64 * 1024);
  Buffer.from(memory).write(text);
  threads.tell('shareMemory', { level: 3, memory });
  return [{ offset: 0, size: Buffer.byteLength(text) }];
}

test('each thread is told what all are told, also one that starts later', async () => {
  await using threads = new Threads(2);
  const chunks = share(threads, 'one');
  const asked = Array.from({ length: 6 }, () => threads.run('hashChunks', chunks));
  for (const found of await Promise.all(asked)) {
    expect(Buffer.from(found)).toEqual(hash('sha256', 'one', 'buffer'));
  }
});

test('a job that throws fails alone', async () => {
  await using threads = new Threads(1);
  const chunks = share(threads, 'one');
  const [beyond, good] = await Promise.allSettled([
    threads.run('encodeChunks', { chunks, output: 64 * 1024 }),
    threads.run('hashChunks', chunks),
  ]);
  expect(beyond).toMatchObject({
    status: 'rejected',
    reason: { code: 'internal', message: expect.stringContaining('in a worker thread: Range') },
  });
  expect(good.status).toBe('fulfilled');
});

test('who is told to end answers what it owes; later jobs are refused', async () => {
  const threads = new Threads(2);
  const chunks = share(threads, 'one');
  const asked = Array.from({ length: 4 }, () => threads.run('hashChunks', chunks));
  await threads[Symbol.asyncDispose]();
  expect(await Promise.all(asked)).toHaveLength(4);
  await expect(threads.run('hashChunks', chunks)).rejects.toMatchObject({ code: 'unavailable' });
});

/** With nothing else to do: what is not waited for would end it. */
const PROGRAM = `
  import { Threads } from '${import.meta.resolve('./threads.ts')}';
  const threads = new Threads(1);
  threads.tell('shareMemory', { level: 3, memory: new SharedArrayBuffer(1024 * 1024) });
  const chunks = [{ offset: 0, size: 1024 * 1024 }];
  const asked = threads.run('hashChunks', chunks);
  if (process.argv[2] === 'idle') {
    await asked;
    console.log('idle');
  } else {
    await threads[Symbol.asyncDispose]();
    console.log((await asked).length, 'ended');
  }
`;

test('threads without work keep no process alive, and their end is waited for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-threads-'));
  const script = join(folder, 'program.ts');
  await writeFile(script, PROGRAM);
  const run = (way: string) => runChild([process.execPath, script, way], { env: {}, cwd: folder });
  const [idle, end] = [await run('idle'), await run('end')];
  await rm(folder, { recursive: true });
  expect(idle).toMatchObject({ status: 0, stdout: 'idle\n', stderr: '' });
  expect(end).toMatchObject({ status: 0, stdout: '32 ended\n', stderr: '' });
});
