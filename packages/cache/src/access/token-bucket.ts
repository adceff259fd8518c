import { lruCache } from '@flywheel/base';

export interface BucketRate {
  /** What comes back each second. */
  readonly perSecond: number;
  /** What may be used at once after a pause. */
  readonly burst: number;
}

interface Bucket {
  level: number;
  at: number;
}

/**
 * Token buckets by key. Their number is bounded: one that is forgotten starts full again, so whoever
 * wants to gain by that has to come under more names than there are buckets.
 */
export class TokenBuckets {
  readonly #buckets;

  constructor(capacity: number) {
    this.#buckets = lruCache<string, Bucket>(capacity);
  }

  /** Takes one, or says how many milliseconds to wait for it. */
  take(key: string, rate: BucketRate, nowMs: number): number {
    const bucket = this.#filled(key, rate, nowMs);
    if (bucket.level >= 1) {
      bucket.level -= 1;
      return 0;
    }
    return ((1 - bucket.level) / rate.perSecond) * 1000;
  }

  /** Takes what has been used already, also more than there is: then the bucket is in debt. */
  charge(key: string, amount: number, rate: BucketRate, nowMs: number): void {
    this.#filled(key, rate, nowMs).level -= amount;
  }

  /** How many milliseconds until it is out of debt. */
  debt(key: string, rate: BucketRate, nowMs: number): number {
    const { level } = this.#filled(key, rate, nowMs);
    return level >= 0 ? 0 : (-level / rate.perSecond) * 1000;
  }

  #filled(key: string, { perSecond, burst }: BucketRate, nowMs: number): Bucket {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, (bucket = { level: burst, at: nowMs }));
    // A clock that was set back fills nothing, and takes nothing.
    const seconds = Math.max(0, nowMs - bucket.at) / 1000;
    bucket.level = Math.min(burst, bucket.level + seconds * perSecond);
    bucket.at = nowMs;
    return bucket;
  }
}
