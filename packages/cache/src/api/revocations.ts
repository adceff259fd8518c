import { z } from 'zod';
import type { Revocation } from '../db/identity-records.ts';
import { audit } from './audit.ts';
import { callerOf, requireAdministrator } from './caller.ts';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { Name, PageSize, queryOf, Time } from './query.ts';
import { jsonBody } from './request-body.ts';
import type { Handler } from './router.ts';
import { maySee, NO_STORE, noSuchToken } from './tokens.ts';

const BODY_LIMIT = 16 * 1024;

const Reason = Name.optional();
const RevokeRequest = z.union([
  z.strictObject({ id: Name.max(200), reason: Reason }),
  z.strictObject({ subject: Name, issued_until: Time.optional(), reason: Reason }),
  z.strictObject({ everybody: z.literal(true), issued_until: Time.optional(), reason: Reason }),
]);
type RevokeRequest = z.infer<typeof RevokeRequest>;

/**
 * POST /_flywheel/v1/revocations: one token by its id, or all of a subject or of everybody that were
 * issued until a time (now). Everybody may revoke the own token and those made with it; the rest is
 * for administrators. Counts here at once, on other replicas within five seconds.
 */
export function revoke(parts: ApiParts): Handler {
  return async (c) => {
    const { claims, isAdministrator } = await callerOf(parts, c);
    const request = await jsonBody(c, RevokeRequest, BODY_LIMIT);
    if (!isAdministrator) await checkOwn(parts, c, request);
    const what = await revocationOf(parts, request);
    const why = { reason: request.reason, by: claims.subject };
    await parts.store.metadata.revoke(what, why);
    parts.identity.authenticator.forget();
    await parts.renewAdminToken();
    await audit(parts, c, { action: 'revoke', target: targetOf(what) });
    return c.json({ revoked: true }, 200, NO_STORE);
  };
}

const ListQuery = z.strictObject({ limit: PageSize });

/** GET /_flywheel/v1/revocations, for administrators. */
export function listRevocations(parts: ApiParts): Handler {
  return async (c) => {
    await requireAdministrator(parts, c);
    const { limit } = queryOf(c, ListQuery);
    const revocations = await parts.store.metadata.listRevocations(limit);
    const shown = revocations.map((each) => ({
      token: each.tokenId ?? null,
      subject: each.subject ?? null,
      issued_until:
        each.issuedUntil === undefined ? null : new Date(each.issuedUntil * 1000).toISOString(),
      reason: each.reason ?? null,
      by: each.createdBy ?? null,
      at: new Date(each.createdAt).toISOString(),
    }));
    return c.json({ revocations: shown }, 200, NO_STORE);
  };
}

async function checkOwn(parts: ApiParts, c: ApiContext, request: RevokeRequest): Promise<void> {
  if (!('id' in request)) {
    throw wireError('AccessError', 'only an administrator can revoke many tokens at once');
  }
  const claims = c.exchange.claims;
  if (claims === undefined || request.id === claims.id) return;
  const token = await parts.store.metadata.findToken(request.id);
  if (token === undefined || !maySee({ claims, isAdministrator: false }, token)) {
    throw noSuchToken();
  }
}

async function revocationOf(parts: ApiParts, request: RevokeRequest): Promise<Revocation> {
  if ('id' in request) {
    // An administrator may know of a token that was made elsewhere: then nobody knows its end.
    const token = await parts.store.metadata.findToken(request.id);
    return { id: request.id, expiresAt: token?.expiresAt };
  }
  const now = parts.clock.now();
  const until = request.issued_until ?? now;
  // It would shut out everybody until then, the administrator who could mend it included.
  if (until > now) throw wireError('RequestError', 'issued_until lies in the future');
  return {
    subject: 'subject' in request ? request.subject : undefined,
    issuedUntil: Math.floor(until / 1000),
  };
}

function targetOf(what: Revocation): string {
  if ('id' in what) return what.id;
  const until = new Date(what.issuedUntil * 1000).toISOString();
  return `${what.subject ?? 'everybody'}, issued until ${until}`;
}
