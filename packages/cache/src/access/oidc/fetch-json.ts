import { FlywheelError, isFlywheelError, messageOf } from '@flywheel/base';

export interface FetchedJson {
  readonly value: unknown;
  /** Of Cache-Control; undefined when it says nothing. 0: not to be kept. */
  readonly maxAgeMs: number | undefined;
}

/** Reads a small JSON document. Throws `unavailable`, whatever is wrong with it. */
export type FetchJson = (url: string) => Promise<FetchedJson>;

const TIMEOUT_MS = 5000;
const MAX_BYTES = 512 * 1024;

/** Follows no redirect: where keys come from is for the policy to say. */
export const fetchJson: FetchJson = async (url) => {
  try {
    const answer = await fetch(url, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.ok) throw new Error(`HTTP status ${answer.status}`);
    const value = JSON.parse(await limitedText(answer)) as unknown;
    return { value, maxAgeMs: maxAgeOf(answer.headers.get('cache-control')) };
  } catch (cause) {
    if (isFlywheelError(cause)) throw cause;
    const reason = messageOf((cause as Error).cause ?? cause);
    throw new FlywheelError('unavailable', `read ${url}: ${reason}`, { cause });
  }
};

async function limitedText(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of answer.body ?? []) {
    size += piece.length;
    if (size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function maxAgeOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/\bno-(?:store|cache)\b/i.test(header)) return 0;
  const seconds = /\bmax-age=(\d{1,9})\b/i.exec(header)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
