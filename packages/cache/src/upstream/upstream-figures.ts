/** What came of asking one upstream cache. */
export interface UpstreamFigures {
  /** Narinfos that it had, and that it had not. */
  hits: number;
  misses: number;
  /** No answer, or none that can be used. */
  errors: number;
  /** Not signed by its keys, or its bytes were not what it had said. */
  rejected: number;
  /** NARs taken into the store, and their plain bytes. */
  nars: number;
  bytes: number;
}

export function createUpstreamFigures(): UpstreamFigures {
  return { hits: 0, misses: 0, errors: 0, rejected: 0, nars: 0, bytes: 0 };
}
