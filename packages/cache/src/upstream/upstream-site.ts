import { collect, lruCache, messageOf, Semaphore, type Clock, type Logger } from '@flywheel/base';
import { parseNarInfo, parseStorePath, type NarInfo } from '@flywheel/nix';
import { CircuitBreaker } from './circuit-breaker.ts';
import { fetchUpstream } from './fetch-upstream.ts';
import { createUpstreamFigures } from './upstream-figures.ts';

/** What a narinfo says of a path may be asked for again by its NAR a moment later. */
const FRESH_MS = 5 * 60_000;
/** What is absent may have been built since. */
const FRESH_ABSENT_MS = 3 * 60_000;
const REMEMBERED = 2000;
const REMEMBERED_ABSENT = 50_000;
/** Nix asks for hundreds at once. */
const PARALLEL = 32;
const TIMEOUT_MS = 5000;
/** About 4,000 references. */
const NARINFO_LIMIT = 256 * 1024;

export type Looked = NarInfo | 'absent' | 'unavailable';

export interface SiteOptions {
  /** Ends in `/`. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One upstream cache, whichever caches of ours it serves: what it said lately, and how it is. Says
 * nothing of whether its narinfos are to be believed.
 */
export class UpstreamSite {
  readonly url: URL;
  readonly figures = createUpstreamFigures();
  readonly breaker: CircuitBreaker;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #present = lruCache<string, { readonly info: NarInfo; readonly until: number }>(
    REMEMBERED,
  );
  readonly #absentUntil = lruCache<string, number>(REMEMBERED_ABSENT);
  readonly #asking = new Map<string, Promise<Looked>>();
  readonly #places = new Semaphore(PARALLEL);

  constructor({ url, clock, logger }: SiteOptions) {
    this.url = new URL(url);
    this.breaker = new CircuitBreaker(clock);
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Asks once for all who ask at the same time. Never throws. */
  lookUp(hash: string, via: string): Promise<Looked> {
    const known = this.#recall(hash);
    if (known !== undefined) return Promise.resolve(known);
    const underWay = this.#asking.get(hash);
    if (underWay !== undefined) return underWay;
    const asked = this.#ask(hash, via).finally(() => this.#asking.delete(hash));
    this.#asking.set(hash, asked);
    return asked;
  }

  /** It has not what it says it has: for a while it is not asked for this. */
  reject(hash: string, reason: string): void {
    this.figures.rejected += 1;
    this.#forget(hash);
    this.#logger.warn('an upstream cache is not believed', { url: this.url.href, hash, reason });
  }

  /** Counts a failure that another attempt may still mend. */
  retried(what: string, error: unknown): void {
    this.figures.errors += 1;
    const fields = { url: this.url.href, what, reason: messageOf(error) };
    this.#logger.warn('an upstream cache broke off; it is asked again', fields);
  }

  /** Counts a failure of a request that was admitted. */
  failed(what: string, error: unknown): void {
    this.figures.errors += 1;
    this.breaker.failed();
    this.#logger.warn('an upstream cache failed', {
      url: this.url.href,
      what,
      reason: messageOf(error),
    });
  }

  #recall(hash: string): Looked | undefined {
    const now = this.#clock.now();
    const present = this.#present.get(hash);
    if (present !== undefined && now < present.until) return present.info;
    const until = this.#absentUntil.get(hash);
    return until !== undefined && now < until ? 'absent' : undefined;
  }

  #forget(hash: string): void {
    this.#present.delete(hash);
    this.#absentUntil.set(hash, this.#clock.now() + FRESH_ABSENT_MS);
  }

  async #ask(hash: string, via: string): Promise<Looked> {
    const leave = await this.#places.acquire();
    try {
      // Who waited for a place may have waited for the end of it.
      if (!this.breaker.admits()) return 'unavailable';
      const text = await this.#read(hash, via);
      this.breaker.succeeded();
      if (text === undefined) {
        this.figures.misses += 1;
        this.#forget(hash);
        return 'absent';
      }
      return this.#parse(hash, text);
    } catch (error) {
      this.failed(`${hash}.narinfo`, error);
      return 'unavailable';
    } finally {
      leave();
    }
  }

  async #read(hash: string, via: string): Promise<string | undefined> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetchUpstream(new URL(`${hash}.narinfo`, this.url), { via, signal });
    if (answer.ok) {
      return (await collect(answer.body ?? [], NARINFO_LIMIT)).toString('utf8');
    }
    await answer.body?.cancel();
    // A bucket without the right to list says 403 of what is not there; nix takes 401 for it too.
    if ([401, 403, 404, 410].includes(answer.status)) return undefined;
    throw new Error(`HTTP status ${answer.status}`);
  }

  #parse(hash: string, text: string): Looked {
    try {
      const info = parseNarInfo(text);
      if (parseStorePath(info.storePath).hash !== hash) throw new Error('it is of another path');
      this.figures.hits += 1;
      this.#absentUntil.delete(hash);
      this.#present.set(hash, { info, until: this.#clock.now() + FRESH_MS });
      return info;
    } catch (error) {
      this.reject(hash, messageOf(error));
      return 'absent';
    }
  }
}
