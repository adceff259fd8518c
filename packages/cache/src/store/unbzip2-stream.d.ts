declare module 'unbzip2-stream' {
  import type { EventEmitter } from 'node:events';

  interface Unbzip2Stream extends EventEmitter {
    write(piece: Uint8Array): boolean;
    end(): void;
  }
  export default function unbzip2(): Unbzip2Stream;
}
