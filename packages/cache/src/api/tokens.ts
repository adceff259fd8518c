import { z } from 'zod';
import type { Claims, TokenLimits } from '../access/claims.ts';
import { coversAll } from '../access/covers.ts';
import { formatGrants, GrantList, parseGrants } from '../access/grant-list.ts';
import { mintToken, newTokenId } from '../access/mint.ts';
import type { TokenRecord } from '../db/identity-records.ts';
import { audit } from './audit.ts';
import { callerOf, type Caller } from './caller.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { Name, PageSize, queryOf } from './query.ts';
import { jsonBody } from './request-body.ts';
import type { Handler } from './router.ts';

const BODY_LIMIT = 64 * 1024;
const MAX_VALIDITY_SECONDS = 10 * 366 * 86_400;
export const NO_STORE = { 'Cache-Control': 'no-store' };

const Rate = z.number().positive().max(1e12);

const CreateRequest = z.strictObject({
  subject: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line'),
  validity_seconds: z.int().min(1).max(MAX_VALIDITY_SECONDS),
  grants: GrantList,
  may_mint: z.boolean().default(false),
  requests_per_second: Rate.optional(),
  upload_bytes_per_second: Rate.optional(),
});

/**
 * POST /_flywheel/v1/tokens: makes a token that may no more than the caller. An administrator may
 * make any; others need a token that says that it may mint.
 */
export function createToken(parts: ApiParts): Handler {
  return async (c) => {
    const caller = await callerOf(parts, c);
    if (!mayMint(caller)) throw wireError('AccessError', 'this token may not make others');
    const request = await jsonBody(c, CreateRequest, BODY_LIMIT);
    const issuedAt = Math.floor(parts.clock.now() / 1000);
    const expiresAt = issuedAt + request.validity_seconds;
    const grants = parseGrants(request.grants);
    const wanted = { grants, expiresAt, mayMint: request.may_mint };
    if (!caller.isAdministrator) checkSubset(caller.claims, wanted);
    const id = newTokenId();
    const key = parts.identity.keys().signer;
    const token = await mintToken(key, {
      id,
      subject: request.subject,
      issuedAt,
      expiresAt,
      grants,
      mayMint: request.may_mint,
      limits: limitsFor(caller, {
        requestsPerSecond: request.requests_per_second,
        uploadBytesPerSecond: request.upload_bytes_per_second,
      }),
    });
    await parts.store.metadata.addToken({
      id,
      subject: request.subject,
      grants: JSON.stringify(formatGrants(grants)),
      kid: key.kid,
      origin: 'api',
      createdBy: caller.claims.subject,
      createdWith: caller.claims.id,
      expiresAt: expiresAt * 1000,
    });
    await audit(parts, c, { action: 'create-token', target: id });
    const expires = new Date(expiresAt * 1000).toISOString();
    return c.json({ token, id, subject: request.subject, expires_at: expires }, 201, NO_STORE);
  };
}

const ListQuery = z.strictObject({
  subject: Name.optional(),
  /** Also those that have expired. */
  expired: z.enum(['true', 'false']).default('false'),
  before: Name.optional(),
  limit: PageSize,
});

/** GET /_flywheel/v1/tokens: all for an administrator, else those that were made with this token. */
export function listTokens(parts: ApiParts): Handler {
  return async (c) => {
    const caller = await callerOf(parts, c);
    if (!mayMint(caller)) throw wireError('AccessError', 'this token may not list others');
    const { subject, expired, before, limit } = queryOf(c, ListQuery);
    const tokens = await parts.store.metadata.listTokens({
      subject,
      before,
      limit,
      createdWith: caller.isAdministrator ? undefined : (caller.claims.id ?? ''),
      validAt: expired === 'true' ? undefined : parts.clock.now(),
    });
    const next = tokens.length < limit ? null : (tokens.at(-1)?.id ?? null);
    return c.json({ tokens: tokens.map(shown), next }, 200, NO_STORE);
  };
}

/** GET /_flywheel/v1/tokens/{id}. To others than its maker it does not exist. */
export function getToken(parts: ApiParts): Handler {
  return async (c) => {
    const caller = await callerOf(parts, c);
    const id = c.param('id');
    const token = Name.safeParse(id).success ? await parts.store.metadata.findToken(id) : undefined;
    if (token === undefined || !maySee(caller, token)) throw noSuchToken();
    return c.json(shown(token), 200, NO_STORE);
  };
}

/** Whether the token is the caller's affair: an administrator's always, its own, or one it made. */
export function maySee({ claims, isAdministrator }: Caller, token: TokenRecord): boolean {
  if (isAdministrator) return true;
  return claims.id !== undefined && [token.id, token.createdWith].includes(claims.id);
}

export function noSuchToken(): Error {
  return wireError('NoSuchObject', 'no token of this id was made here, or it is not yours');
}

function mayMint(caller: Caller): boolean {
  return caller.isAdministrator || caller.claims.mayMint;
}

function checkSubset(
  claims: Claims,
  wanted: Pick<Claims, 'grants' | 'mayMint'> & { readonly expiresAt: number },
): void {
  if (!coversAll(claims.grants, wanted.grants)) {
    throw wireError('AccessError', 'a token cannot be given permissions that yours does not have');
  }
  if (wanted.mayMint) {
    throw wireError('AccessError', 'only an administrator can make tokens that make tokens');
  }
  if (claims.expiresAt !== undefined && wanted.expiresAt > claims.expiresAt) {
    throw wireError('AccessError', 'a token cannot outlive the one that it is made with');
  }
}

/** Nobody gets a wider bound than the caller's own. */
function limitsFor({ claims, isAdministrator }: Caller, asked: TokenLimits): TokenLimits {
  if (isAdministrator) return asked;
  const { requestsPerSecond, uploadBytesPerSecond } = claims.limits;
  return {
    requestsPerSecond: smaller(requestsPerSecond, asked.requestsPerSecond),
    uploadBytesPerSecond: smaller(uploadBytesPerSecond, asked.uploadBytesPerSecond),
  };
}

function smaller(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function shown(token: TokenRecord) {
  const { lastUsedAt } = token;
  return {
    id: token.id,
    subject: token.subject,
    grants: JSON.parse(token.grants) as unknown,
    kid: token.kid,
    origin: token.origin,
    created_by: token.createdBy ?? null,
    created_with: token.createdWith ?? null,
    created_at: new Date(token.createdAt).toISOString(),
    expires_at: new Date(token.expiresAt).toISOString(),
    last_used_at: lastUsedAt === undefined ? null : new Date(lastUsedAt).toISOString(),
    revoked: token.revoked,
  };
}
