import { lruCache } from '@flywheel/base';
import { parseAtticKey } from '../blobs/attic-place.ts';
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
  /** The same at once, where there is nothing to wait for. */
  readonly answerNow?: (key: string) => HandedOver;
  /** Packs that were there a moment ago, by id. */
  readonly seen: SeenPacks;
}

export interface HandedOver {
  readonly status: 200 | 307;
  readonly headers: Readonly<Record<string, string>>;
}

interface SeenPack {
  readonly key: string;
  readonly size: number;
  readonly until: number;
}

/** Without an open file or connection each, so it holds more than OpenPacks. */
export type SeenPacks = ReturnType<typeof seenPacks>;

export function seenPacks() {
  return lruCache<number, SeenPack>(10_000);
}

/** How long a pack that has gone may still be handed out. */
const FRESH_MS = 10_000;

/**
 * The answer that lets somebody else send this NAR, or undefined when we have to. Throws `corrupt`
 * when its pack is damaged.
 */
export async function handOver(
  parts: ApiParts,
  nar: Nar,
  method: string,
): Promise<HandedOver | undefined> {
  const { handOver: elsewhere, figures } = parts;
  if (elsewhere === undefined || (method === 'HEAD' && !elsewhere.forHead)) return undefined;
  const key = recallPack(parts, nar) ?? (await findPack(parts, nar));
  if (key === undefined) return undefined;
  const answer = await elsewhere.answer(key);
  if (method !== 'HEAD') figures.downloads[elsewhere.way] += 1;
  return answer;
}

/** The same from memory alone; undefined says nothing. */
export function handOverNow(parts: ApiParts, nar: Nar, method: string): HandedOver | undefined {
  const { handOver: elsewhere, figures } = parts;
  if (elsewhere?.answerNow === undefined || (method === 'HEAD' && !elsewhere.forHead)) {
    return undefined;
  }
  const key = recallPack(parts, nar);
  if (key === undefined) return undefined;
  if (method !== 'HEAD') figures.downloads[elsewhere.way] += 1;
  return elsewhere.answerNow(key);
}

/** The key of the one pack that is, byte for byte, this NAR; undefined when it lies otherwise. */
async function findPack({ store, handOver: elsewhere, clock }: ApiParts, nar: Nar) {
  const segment = onlySegment(nar);
  if (segment === undefined) return undefined;
  const { key, size } = await store.packs.find(segment.pack);
  // What Attic has written lies elsewhere.
  if (size !== segment.length || parseAtticKey(key) !== undefined) return undefined;
  elsewhere?.seen.set(segment.pack, { key, size, until: clock.now() + FRESH_MS });
  return key;
}

function recallPack({ handOver: elsewhere, clock }: ApiParts, nar: Nar): string | undefined {
  const segment = onlySegment(nar);
  const pack = segment && elsewhere?.seen.get(segment.pack);
  if (pack === undefined || pack.size !== segment?.length) return undefined;
  return clock.now() < pack.until ? pack.key : undefined;
}

function onlySegment(nar: Nar): Nar['segments'][number] | undefined {
  const [segment, ...more] = nar.segments;
  return more.length === 0 && segment?.offset === 0 ? segment : undefined;
}
