import { Transform, type TransformCallback } from 'node:stream';
import unbzip2 from 'unbzip2-stream';

/** The library's stream is of Node's oldest kind and knows no back-pressure; this one does. */
export function createBzip2Decompress(): Transform {
  const inner = unbzip2();
  const transform = new Transform({
    transform(piece: Buffer, _encoding, done: TransformCallback) {
      inner.write(piece);
      done();
    },
    flush(done) {
      inner.end();
      done();
    },
  });
  inner.on('data', (piece: Buffer) => transform.push(piece));
  inner.on('error', (error: Error) => transform.destroy(error));
  return transform;
}
