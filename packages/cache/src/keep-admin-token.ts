import type { Clock, Logger } from '@flywheel/base';
import type { Identity } from './access/identity.ts';
import { ensureAdminToken, type DataDirectory } from './data-directory.ts';

/** The administrator's token of a data directory, always a good one. */
export interface AdminToken {
  readonly current: string;
  renew(): Promise<void>;
  close(): void;
}

/** It expires, or another replica revokes it. */
const CHECK_EVERY_MS = 60_000;

export async function keepAdminToken(
  directory: DataDirectory,
  identity: Identity,
  clock: Clock,
  logger: Logger,
): Promise<AdminToken> {
  const { authenticator } = identity;
  const make = (): Promise<string> =>
    ensureAdminToken(directory, identity.keys().signer, authenticator, clock);
  let current = await make();

  async function renew(): Promise<void> {
    current = await make();
  }

  function tryRenew(): void {
    renew().catch((error: unknown) =>
      logger.warn("the administrator's token was not made anew", { error }),
    );
  }

  identity.onKeysChange(tryRenew);
  const timer = setInterval(tryRenew, CHECK_EVERY_MS);
  timer.unref();
  return {
    get current() {
      return current;
    },
    renew,
    close: () => clearInterval(timer),
  };
}
