import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError, isFlywheelError } from '@flywheel/base';
import { discard, errorOfAnswer } from './answer.ts';
import { connectionError } from './transport.ts';

/** How often a connection may break, or the server fail, without this much arriving in between. */
const ATTEMPTS = 5;
const PROGRESS_BYTES = 1024 * 1024;

export interface DownloadOptions {
  /** For errors: `download the NAR of …`. */
  readonly attempted: string;
  /** Asks for the file with these headers more. */
  readonly request: (
    headers: Readonly<Record<string, string>>,
  ) => Promise<{ readonly answer: IncomingMessage; readonly url: URL }>;
  /** Bytes the file should have, where known. */
  readonly size?: number | undefined;
  /** The wait before the second try; doubles with each further one. */
  readonly firstDelayMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of a file. When the connection breaks it goes on where it was, provided that the server
 * can do that and still has the same file (`If-Range`). Throws the server's error, or `unavailable`
 * when the connection breaks too often or the file changed underway.
 */
export async function* download(options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const state: DownloadState = { received: 0, tag: undefined };
  let failures = 0;
  let progressAt = 0;
  for (;;) {
    try {
      yield* downloadRest(options, state);
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (state.received - progressAt >= PROGRESS_BYTES) failures = 0;
      progressAt = state.received;
      failures += 1;
      if (!isFlywheelError(error, 'unavailable') || error.details['final'] === true) throw error;
      if (failures >= ATTEMPTS) throw error;
      const delayMs = options.firstDelayMs * 2 ** (failures - 1);
      await sleep(delayMs, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}

interface DownloadState {
  /** Bytes passed on. */
  received: number;
  /** The strong ETag of the file that they are of. */
  tag: string | undefined;
}

async function* downloadRest(
  options: DownloadOptions,
  state: DownloadState,
): AsyncGenerator<Uint8Array> {
  const { attempted, size } = options;
  const { answer, url } = await options.request(rangeHeaders(state));
  const status = answer.statusCode ?? 0;
  if (status !== 200 && status !== 206) throw await errorOfAnswer(answer, url, attempted);
  try {
    let skip = checkStart(answer, state, attempted);
    try {
      for await (const piece of answer as AsyncIterable<Buffer>) {
        const rest = piece.subarray(skip);
        skip -= piece.length - rest.length;
        if (rest.length === 0) continue;
        state.received += rest.length;
        yield rest;
      }
    } catch (error) {
      throw connectionError(url, error);
    }
    if (size !== undefined && state.received < size) {
      const text = `${attempted}: only ${state.received} of ${size} bytes came`;
      throw new FlywheelError('unavailable', text);
    }
  } finally {
    discard(answer);
  }
}

function rangeHeaders({ received, tag }: DownloadState): Record<string, string> {
  if (received === 0) return {};
  const range = { Range: `bytes=${received}-` };
  return tag === undefined ? range : { ...range, 'If-Range': tag };
}

/** How many bytes of this answer are known already, after a look at whether it is the same file. */
function checkStart(answer: IncomingMessage, state: DownloadState, attempted: string): number {
  const { etag } = answer.headers;
  // A weak one promises the same meaning, not the same bytes.
  const tag = etag?.startsWith('"') === true ? etag : undefined;
  if (state.received > 0 && tag !== state.tag) {
    throw new FlywheelError('unavailable', `${attempted}: the file changed while it was read`, {
      details: { final: true, hint: 'start again' },
    });
  }
  state.tag = tag;
  if (answer.statusCode === 200) return state.received;
  const start = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1];
  if (Number(start) === state.received) return 0;
  throw new FlywheelError(
    'unsupported',
    `${attempted}: asked for bytes from ${state.received} on, got ${JSON.stringify(answer.headers['content-range'])}`,
  );
}
