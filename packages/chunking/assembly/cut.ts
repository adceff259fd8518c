// AssemblyScript. `scripts/build-chunker.ts` compiles it into src/cut-wasm.ts.
// Memory: 256 gear values (u64) from address 0, then the bytes to cut.

/**
 * FastCDC with normalized chunking (Xia et al., USENIX ATC 2016, section 3): where the chunk that
 * begins at `start` ends. The caller sees to `end - start <= max`.
 */
export function cut(start: u32, end: u32, min: u32, avg: u32, strict: u64, loose: u64): u32 {
  if (end - start <= min) return end;
  let hash: u64 = 0;
  let at: u32 = start + min;
  const normal: u32 = start + avg < end ? start + avg : end;
  while (at < normal) {
    hash = (hash << 1) + load<u64>((<u32>load<u8>(at)) << 3);
    at++;
    if ((hash & strict) == 0) return at;
  }
  while (at < end) {
    hash = (hash << 1) + load<u64>((<u32>load<u8>(at)) << 3);
    at++;
    if ((hash & loose) == 0) return at;
  }
  return end;
}
