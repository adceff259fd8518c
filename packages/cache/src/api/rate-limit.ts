import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import type { Claims } from '../access/claims.ts';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { remoteAddressOf } from './remote-address.ts';

/** Takes the request from the caller's rate, or says how many milliseconds are missing for it. */
export function waitForTurn(
  { identity: { rates }, settings }: ApiParts,
  incoming: IncomingMessage,
  claims: Claims | undefined,
): number {
  if (!rates.areBounded(claims)) return 0;
  return rates.request({ claims, address: remoteAddressOf(settings, incoming) });
}

/** Throws 429 when the caller asks too often. A request counts once, however often this is called. */
export function checkRequestRate(parts: ApiParts, c: ApiContext, claims: Claims | undefined): void {
  if (c.exchange.isAdmitted === true) return;
  const waitMs = waitForTurn(parts, c.incoming, claims);
  if (waitMs > 0) throw tooMany(waitMs);
  c.exchange.isAdmitted = true;
}

/** A push waits this long before it is refused: stock clients do not try again. */
const PATIENCE_MS = 30_000;
const STEP_MS = 500;

/**
 * Makes an upload wait, its body unread, until its token has paid for those before; throws 429 when
 * that takes too long. An upload that has begun is never slowed down or cut: it would hold its place
 * among the uploads that are read. What it brings is charged as it comes.
 */
export async function awaitUploadAllowance(parts: ApiParts, c: ApiContext): Promise<void> {
  const { exchange } = c;
  const { rates } = parts.identity;
  const { claims } = exchange;
  let left = PATIENCE_MS;
  for (;;) {
    const debtMs = rates.uploadDebt(claims);
    if (debtMs === 0) break;
    if (debtMs > left || parts.lifecycle.draining) throw tooMany(debtMs);
    const step = Math.min(debtMs, STEP_MS);
    await sleep(step);
    left -= step;
  }
  exchange.received = (bytes) => rates.chargeUpload(claims, bytes);
}

export function tooMany(waitMs: number): FlywheelError {
  const { code, message, details } = wireError('TooManyRequests');
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new FlywheelError(code, message, { details: { ...details, retryAfterSeconds } });
}
