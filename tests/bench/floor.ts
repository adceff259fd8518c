// Run as a program, with the names of files on its input. It does to each what no push can do
// without, five files at a time: SHA-256 of the whole, SHA-256 and zstd of each 64 KiB. Nothing is
// received, looked up or kept.
import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { DEFAULT_CHUNK_SIZES, DEFAULT_ZSTD_LEVEL, encodeFrame } from '@flywheel/chunking';

const AT_ONCE = 5;
const FRAMES_AHEAD = 16;

const files = (await text(process.stdin)).trim().split('\n');
const begin = performance.now();
await Promise.all(Array.from({ length: AT_ONCE }, work));
const { user, system } = process.cpuUsage();
const seconds = (performance.now() - begin) / 1000;
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 }));

async function work(): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) await pack(file);
}

async function pack(file: string): Promise<void> {
  const whole = createHash('sha256');
  const frames: Promise<Uint8Array>[] = [];
  const stream = createReadStream(file, { highWaterMark: DEFAULT_CHUNK_SIZES.avg });
  for await (const piece of stream as AsyncIterable<Buffer>) {
    whole.update(piece);
    hash('sha256', piece);
    frames.push(encodeFrame(piece, DEFAULT_ZSTD_LEVEL));
    if (frames.length >= FRAMES_AHEAD) await frames.shift();
  }
  await Promise.all(frames);
  whole.digest();
}
