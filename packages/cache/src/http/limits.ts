/** What a client may take of the server before it has shown that it is worth it. */
export interface HttpLimits {
  /** More are closed at once. A stalled download holds a MiB, so this bounds memory as well. */
  readonly maxConnections: number;
  /** A head that is not complete by then is answered with 408. */
  readonly headersTimeoutMs: number;
  /** Larger heads are answered with 431. */
  readonly maxHeaderBytes: number;
  /** So long a client that sends its body, or takes an answer, may be waited for: see `pacedBody`. */
  readonly patienceMs: number;
  /** Bytes of a body that earn back a second of patience. */
  readonly bodyBytesPerSecond: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  maxConnections: 1024,
  headersTimeoutMs: 30_000,
  // A token may have 16 KiB, and the stock client puts up to 4 KiB of upload info beside it.
  maxHeaderBytes: 32 * 1024,
  patienceMs: 60_000,
  bodyBytesPerSecond: 512,
};
