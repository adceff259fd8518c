import type { Clock } from '@flywheel/base';
import type { Claims } from './claims.ts';
import { TokenBuckets, type BucketRate } from './token-bucket.ts';

/** Undefined: no limit. A token may bring others, see TokenLimits. */
export interface RateSettings {
  /** Of one token. */
  readonly requestsPerSecond?: number | undefined;
  readonly uploadBytesPerSecond?: number | undefined;
  /** Of one address without a token. */
  readonly anonymousRequestsPerSecond?: number | undefined;
  /** Of one address at the exchange of tokens, where work is done before anybody is known. */
  readonly exchangesPerSecond: number;
}

export const DEFAULT_RATES: RateSettings = { exchangesPerSecond: 5 };

/** Whoever asks: a token, or an address. */
export interface Asker {
  readonly claims: Claims | undefined;
  readonly address: string;
}

/** What callers may do in a time. Each answer is how many milliseconds to wait; 0: go on. */
export interface RateLimits {
  /** Whether `request` can say anything but 0: it need not be asked otherwise. */
  areBounded(claims: Claims | undefined): boolean;
  request(asker: Asker): number;
  exchange(address: string): number;
  /** How long until this token has paid for what it has uploaded. */
  uploadDebt(claims: Claims | undefined): number;
  chargeUpload(claims: Claims | undefined, bytes: number): void;
}

/**
 * `nix` asks for hundreds of narinfos at once at the start of a build, and a pause earns the right to
 * do so: what ten seconds allow may come in one.
 */
const BURST_SECONDS = 10;
const BUCKETS = 10_000;

export function createRateLimits(settings: RateSettings, clock: Clock): RateLimits {
  const requests = new TokenBuckets(BUCKETS);
  const exchanges = new TokenBuckets(BUCKETS);
  const uploads = new TokenBuckets(BUCKETS);

  function uploadRate(claims: Claims | undefined): BucketRate | undefined {
    return rateOf(claims?.limits.uploadBytesPerSecond ?? settings.uploadBytesPerSecond);
  }

  function requestsPerSecond(claims: Claims | undefined): number | undefined {
    if (claims === undefined) return settings.anonymousRequestsPerSecond;
    return claims.limits.requestsPerSecond ?? settings.requestsPerSecond;
  }

  return {
    areBounded: (claims) => requestsPerSecond(claims) !== undefined,
    request({ claims, address }) {
      const rate = rateOf(requestsPerSecond(claims));
      if (rate === undefined) return 0;
      return requests.take(claims === undefined ? address : nameOf(claims), rate, clock.now());
    },
    exchange(address) {
      const rate = rateOf(settings.exchangesPerSecond);
      return rate === undefined ? 0 : exchanges.take(address, rate, clock.now());
    },
    uploadDebt(claims) {
      const rate = uploadRate(claims);
      return rate === undefined ? 0 : uploads.debt(nameOf(claims), rate, clock.now());
    },
    chargeUpload(claims, bytes) {
      const rate = uploadRate(claims);
      if (rate !== undefined) uploads.charge(nameOf(claims), bytes, rate, clock.now());
    },
  };
}

function rateOf(perSecond: number | undefined): BucketRate | undefined {
  if (perSecond === undefined) return undefined;
  return { perSecond, burst: Math.max(1, perSecond * BURST_SECONDS) };
}

/** Apart from addresses, which have neither of these in front. */
function nameOf(claims: Claims | undefined): string {
  return claims?.id === undefined ? `subject ${claims?.subject ?? ''}` : `token ${claims.id}`;
}
