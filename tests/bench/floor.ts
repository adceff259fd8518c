// Run as a program, with the names of files on its input. On all cores at once, it does to each
// file what no push can do without: SHA-256 of the whole, SHA-256 and zstd of each piece of the size
// of a chunk. Nothing is received, looked up or kept.
import { createHash, hash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { DEFAULT_CHUNK_SIZES, DEFAULT_ZSTD_LEVEL, encodeFrame } from '@flywheel/chunking';

interface Work {
  readonly files: readonly string[];
  /** The index of the next file that no thread has taken. */
  readonly next: Int32Array;
}

if (isMainThread) await lead();
else follow(workerData as Work);

async function lead(): Promise<void> {
  const files = (await text(process.stdin)).trim().split('\n');
  const work: Work = { files, next: new Int32Array(new SharedArrayBuffer(4)) };
  const begin = performance.now();
  const threads = Array.from({ length: availableParallelism() }, async () => {
    const [code] = (await once(new Worker(import.meta.filename, { workerData: work }), 'exit')) as [
      number,
    ];
    process.exitCode ||= code;
  });
  await Promise.all(threads);
  const { user, system } = process.cpuUsage();
  const seconds = (performance.now() - begin) / 1000;
  console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 }));
}

function follow({ files, next }: Work): void {
  for (let index = Atomics.add(next, 0, 1); index < files.length; index = Atomics.add(next, 0, 1)) {
    pack(files[index] ?? '');
  }
}

function pack(file: string): void {
  const whole = createHash('sha256');
  const buffer = Buffer.allocUnsafe(DEFAULT_CHUNK_SIZES.avg);
  const descriptor = openSync(file, 'r');
  for (let read = readSync(descriptor, buffer); read > 0; read = readSync(descriptor, buffer)) {
    const piece = buffer.subarray(0, read);
    whole.update(piece);
    hash('sha256', piece);
    encodeFrame(piece, DEFAULT_ZSTD_LEVEL);
  }
  closeSync(descriptor);
  whole.digest();
}
