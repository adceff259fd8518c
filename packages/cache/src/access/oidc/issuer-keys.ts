import { FlywheelError, type Clock } from '@flywheel/base';
import { publicJwkKey, type TokenKey } from '../token-key.ts';
import type { FetchJson } from './fetch-json.ts';
import { isTrustworthyUrl, type TrustedIssuer } from './policy.ts';

/** The published keys of an issuer. */
export interface IssuerKeys {
  /** Those that may have signed this. Throws `unavailable` when they cannot be read. */
  candidates(algorithm: unknown, kid: unknown): Promise<readonly TokenKey[]>;
}

// GitLab says 10 minutes or nothing. At least a minute, whatever an issuer says: it must not have us
// ask with every token.
const DEFAULT_AGE_MS = 10 * 60_000;
const MIN_AGE_MS = 60_000;
const MAX_AGE_MS = 24 * 3600_000;
/** An unknown `kid` may be a new key, or somebody's invention. */
const RETRY_MS = 60_000;
/** How long the last known keys serve while the issuer does not answer. */
const STALE_MS = 24 * 3600_000;

interface KeySet {
  readonly keys: readonly TokenKey[];
  readonly fetchedAt: number;
  readonly freshUntil: number;
}

export function createIssuerKeys(
  { issuer, jwksUri }: TrustedIssuer,
  fetchJson: FetchJson,
  clock: Clock,
): IssuerKeys {
  let known: KeySet | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<KeySet> | undefined;

  async function read(): Promise<KeySet> {
    const now = clock.now();
    const uri = jwksUri ?? (await discover(issuer, fetchJson));
    const { value, maxAgeMs = DEFAULT_AGE_MS } = await fetchJson(uri);
    const age = Math.min(MAX_AGE_MS, Math.max(MIN_AGE_MS, maxAgeMs));
    return { keys: keysOf(value, uri), fetchedAt: now, freshUntil: now + age };
  }

  /** Many tokens at once, one request. */
  async function refresh(): Promise<KeySet> {
    triedAt = clock.now();
    reading ??= read().finally(() => (reading = undefined));
    known = await reading;
    return known;
  }

  async function current(): Promise<KeySet> {
    const now = clock.now();
    if (known !== undefined && now < known.freshUntil) return known;
    const last = known;
    const usable = last !== undefined && now < last.fetchedAt + STALE_MS ? last : undefined;
    if (usable !== undefined && now < triedAt + RETRY_MS && reading === undefined) return usable;
    try {
      return await refresh();
    } catch (error) {
      if (usable === undefined) throw error;
      return usable;
    }
  }

  return {
    async candidates(algorithm, kid) {
      const fit = ({ keys }: KeySet): readonly TokenKey[] =>
        keys.filter((key) => key.algorithm === algorithm && (kid === undefined || key.kid === kid));
      const set = await current();
      const found = fit(set);
      if (found.length > 0 || clock.now() < triedAt + RETRY_MS) return found;
      return fit(await refresh().catch(() => set));
    },
  };
}

async function discover(issuer: string, fetchJson: FetchJson): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { issuer: said, jwks_uri: uri } = Object((await fetchJson(url)).value) as {
    issuer?: unknown;
    jwks_uri?: unknown;
  };
  if (said !== issuer) throw unusable(url, `it is for the issuer ${JSON.stringify(said)}`);
  if (typeof uri !== 'string' || !isTrustworthyUrl(uri)) {
    throw unusable(url, 'its jwks_uri is no https URL');
  }
  return uri;
}

function keysOf(value: unknown, uri: string): readonly TokenKey[] {
  const { keys } = Object(value) as { keys?: unknown };
  if (!Array.isArray(keys)) throw unusable(uri, 'it is no set of keys');
  return keys.flatMap((jwk) => {
    try {
      return [publicJwkKey(jwk)];
    } catch {
      // Keys of other kinds are no concern of ours.
      return [];
    }
  });
}

function unusable(url: string, reason: string): FlywheelError {
  return new FlywheelError('unavailable', `${url} cannot be used: ${reason}`);
}
