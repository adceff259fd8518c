import { lruCache, type Clock, type Logger } from '@flywheel/base';
import { fingerprint, parseStorePath, PublicKey, type NarInfo } from '@flywheel/nix';
import type { Cache } from '../db/metadata.ts';
import type { UpstreamFigures } from './upstream-figures.ts';
import { UpstreamSite } from './upstream-site.ts';

/** A path that an upstream cache has, under a signature that the cache of ours trusts. */
export interface UpstreamPath {
  readonly site: UpstreamSite;
  readonly info: NarInfo;
}

/** Beyond that, metrics and memory of the ones used longest ago are dropped. */
const MAX_SITES = 200;
const MAX_KEYS = 1000;
/** Complaints that are not repeated. */
const MAX_DISTRUSTED = 1000;

/** The upstream caches of all caches. */
export class Upstreams {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sites = lruCache<string, UpstreamSite>(MAX_SITES);
  readonly #hosts = new Map<string, UpstreamSite>();
  readonly #keys = lruCache<string, PublicKey>(MAX_KEYS);
  readonly #distrusted = lruCache<string, true>(MAX_DISTRUSTED);

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The first of the cache's upstreams that has the path. Undefined also when none answers. */
  async find(cache: Cache, hash: string, via: string): Promise<UpstreamPath | undefined> {
    for (const { url, publicKeys } of cache.upstreams) {
      const site = this.#site(url);
      const info = await site.lookUp(hash, via);
      if (info === 'absent' || info === 'unavailable') continue;
      if (this.#trusts(cache, publicKeys, info)) return { site, info };
      this.#complain(cache, site, hash);
    }
    return undefined;
  }

  /** By the upstream's URL. */
  figures(): ReadonlyMap<string, UpstreamFigures> {
    return new Map([...this.#hosts].map(([url, site]) => [url, site.figures]));
  }

  #site(url: string): UpstreamSite {
    const known = this.#sites.get(url);
    if (known !== undefined) return known;
    const site = new UpstreamSite({ url, clock: this.#clock, logger: this.#logger });
    this.#sites.set(url, site);
    if (this.#hosts.size < MAX_SITES) this.#hosts.set(url, site);
    return site;
  }

  #trusts(cache: Cache, publicKeys: readonly string[], info: NarInfo): boolean {
    if (parseStorePath(info.storePath).storeDir !== cache.storeDir) return false;
    const text = fingerprint(info);
    return publicKeys.some((key) => this.#key(key).verify(text, info.sigs));
  }

  #key(text: string): PublicKey {
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const key = PublicKey.parse(text);
    this.#keys.set(text, key);
    return key;
  }

  /** Counted once for each path: what it said of others, and other caches' keys, are not touched. */
  #complain(cache: Cache, site: UpstreamSite, hash: string): void {
    const complaint = `${cache.id} ${site.url.href} ${hash}`;
    if (this.#distrusted.get(complaint) === true) return;
    this.#distrusted.set(complaint, true);
    site.figures.rejected += 1;
    this.#logger.warn('a narinfo of an upstream cache is not signed by a key given for it', {
      cache: cache.name,
      url: site.url.href,
      hash,
    });
  }
}
