import { stat } from 'node:fs/promises';
import type { Clock, Logger } from '@flywheel/base';
import type { IdentityRecords } from '../db/identity-records.ts';
import { createAuditLog, type AuditLog } from './audit-log.ts';
import { createAuthenticator, type Authenticator } from './authenticator.ts';
import { keyFolderMark, readKeyFolder, type KeyFolder } from './key-folder.ts';
import { KeyRing } from './key-ring.ts';
import { fetchJson } from './oidc/fetch-json.ts';
import { createIssuerKeys, type IssuerKeys } from './oidc/issuer-keys.ts';
import type { ExchangePolicy, TrustedIssuer } from './oidc/policy.ts';
import {
  createRateLimits,
  DEFAULT_RATES,
  type RateLimits,
  type RateSettings,
} from './rate-limits.ts';
import { openReloaded, type Reloaded } from './reloaded.ts';
import { createTokenUses } from './token-uses.ts';

/** Who may ask, what they may do, and what they have done. */
export interface Identity {
  readonly authenticator: Authenticator;
  readonly audit: AuditLog;
  readonly rates: RateLimits;
  keys(): KeyRing;
  /** Undefined: nothing is exchanged. */
  exchangePolicy(): ExchangePolicy | undefined;
  issuerKeys(issuer: TrustedIssuer): IssuerKeys;
  /** Called when other keys count than before. */
  onKeysChange(listener: () => void): void;
  close(): Promise<void>;
}

export interface IdentityOptions {
  readonly records: IdentityRecords;
  readonly keyFolder: KeyFolder;
  readonly policyFile?: string | undefined;
  readonly rates?: Partial<RateSettings> | undefined;
  /** Whether tokens are revoked by this process alone. */
  readonly alone: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often keys and policy are looked at. */
  readonly reloadEveryMs?: number | undefined;
}

/** How long another replica's revocation may go unnoticed. */
const RECHECK_MS = 5000;
/** Where there is none: only to note that the token is in use. */
const RECHECK_ALONE_MS = 60_000;
const WRITE_USES_EVERY_MS = 30_000;

/** Throws `invalid-input` for keys or a policy that cannot be used, naming the file. */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const { records, keyFolder, policyFile, alone, clock, logger } = options;
  await using cleanup = new AsyncDisposableStack();
  const listeners = new Set<() => void>();
  const keys = await openReloaded({
    what: 'the token keys',
    load: async () => new KeyRing((await readKeyFolder(keyFolder)).map(({ key }) => key)),
    mark: () => keyFolderMark(keyFolder),
    onChange() {
      for (const listener of listeners) listener();
    },
    logger,
    everyMs: options.reloadEveryMs,
  });
  cleanup.defer(() => keys.close());
  const policy = policyFile === undefined ? undefined : await openPolicy(policyFile, options);
  cleanup.defer(() => policy?.close());
  const audit = createAuditLog(records, logger);
  cleanup.defer(() => audit.close());

  const uses = createTokenUses(records, logger);
  const writeUses = setInterval(() => void uses.flush(clock.now()), WRITE_USES_EVERY_MS);
  writeUses.unref();
  cleanup.defer(async () => {
    clearInterval(writeUses);
    await uses.flush(clock.now());
  });

  const issuerKeys = new WeakMap<TrustedIssuer, IssuerKeys>();
  const running = cleanup.move();
  return {
    authenticator: createAuthenticator({
      keys: () => keys.current,
      async isRevoked({ id, subject, notBefore = 0, issuedAt = notBefore }) {
        if (id !== undefined) uses.note(id);
        return records.isRevoked({ id, subject, issuedAt });
      },
      recheckMs: alone ? RECHECK_ALONE_MS : RECHECK_MS,
      clock,
    }),
    audit,
    rates: createRateLimits({ ...DEFAULT_RATES, ...options.rates }, clock),
    keys: () => keys.current,
    exchangePolicy: () => policy?.current,
    issuerKeys(issuer) {
      // With a policy that was read again, the keys are asked for again as well.
      let found = issuerKeys.get(issuer);
      if (found === undefined) {
        found = createIssuerKeys(issuer, fetchJson, clock);
        issuerKeys.set(issuer, found);
      }
      return found;
    },
    onKeysChange: (listener) => void listeners.add(listener),
    close: () => running.disposeAsync(),
  };
}

async function openPolicy(
  file: string,
  { logger, reloadEveryMs: everyMs }: IdentityOptions,
): Promise<Reloaded<ExchangePolicy>> {
  // With a parser of YAML, which a server without a policy need not hold in memory.
  const { loadPolicy } = await import('./oidc/policy.ts');
  return openReloaded({
    what: 'the exchange policy',
    load: () => loadPolicy(file),
    async mark() {
      const { ino, size, mtimeMs } = await stat(file);
      return `${ino} ${size} ${mtimeMs}`;
    },
    logger,
    everyMs,
  });
}
