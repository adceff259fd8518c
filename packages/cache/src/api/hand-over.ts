import type { Nar } from '../db/metadata.ts';
import type { ApiParts } from './parts.ts';

/**
 * How somebody else sends what is one whole pack: an object store by a redirect, or the front server
 * by a header. Everything else is sent by us.
 */
export interface HandOver {
  /** What metrics call it. */
  readonly way: 'redirected' | 'front-server';
  /** A header can answer a HEAD like the GET; a URL that is signed for GET cannot. */
  readonly forHead: boolean;
  /** Key of the pack in, answer out. */
  answer(key: string): Promise<HandedOver>;
}

interface HandedOver {
  readonly status: 200 | 307;
  readonly headers: Readonly<Record<string, string>>;
}

/** The answer that lets somebody else send this NAR, or undefined when we have to. */
export async function handOver(
  parts: ApiParts,
  nar: Nar,
  method: string,
): Promise<HandedOver | undefined> {
  const { handOver: elsewhere, figures } = parts;
  if (elsewhere === undefined || (method === 'HEAD' && !elsewhere.forHead)) return undefined;
  const key = await wholePackOf(parts, nar);
  if (key === undefined) return undefined;
  const answer = await elsewhere.answer(key);
  if (method !== 'HEAD') figures.downloads[elsewhere.way] += 1;
  return answer;
}

/** The key of the one pack that is, byte for byte, this NAR; undefined when it lies otherwise. */
async function wholePackOf({ store }: ApiParts, nar: Nar): Promise<string | undefined> {
  const [segment, ...more] = nar.segments;
  if (segment === undefined || more.length > 0 || segment.offset !== 0) return undefined;
  const pack = await store.packs.find(segment.pack);
  return pack.size === segment.length ? pack.key : undefined;
}
