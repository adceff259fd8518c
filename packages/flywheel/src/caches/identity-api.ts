import { z } from 'zod';
import { call, parse } from './cache-api.ts';
import type { Server } from './find-server.ts';

const CreatedToken = z.object({
  token: z.string(),
  id: z.string(),
  subject: z.string(),
  expires_at: z.string(),
});

const Grants = z.array(z.object({ cache: z.string(), allow: z.array(z.string()) }));

const Token = z.object({
  id: z.string(),
  subject: z.string(),
  grants: Grants,
  kid: z.string(),
  origin: z.string(),
  created_by: z.string().nullable(),
  created_with: z.string().nullable(),
  created_at: z.string(),
  expires_at: z.string(),
  last_used_at: z.string().nullable(),
  revoked: z.boolean(),
});
const TokenPage = z.object({ tokens: z.array(Token), next: z.string().nullable() });

const AuditEntry = z.object({
  id: z.number(),
  at: z.string(),
  subject: z.string().nullable(),
  token: z.string().nullable(),
  action: z.string(),
  cache: z.string().nullable(),
  target: z.string().nullable(),
  request_id: z.string().nullable(),
  remote_address: z.string().nullable(),
  result: z.string(),
});
const AuditPage = z.object({ entries: z.array(AuditEntry), next: z.number().nullable() });

const Exchanged = z.object({
  access_token: z.string(),
  expires_in: z.number(),
  expires_at: z.string(),
  id: z.string(),
  rule: z.string(),
  grants: Grants,
});

/** Field names as on the wire. */
export type ListedToken = z.infer<typeof Token>;
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Throws `forbidden` when the caller may not give away so much. */
export async function createToken(
  server: Server,
  request: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
) {
  return parse(CreatedToken, server, await post(server, 'tokens', request, signal));
}

/** The newest first, at most `limit`. */
export async function listTokens(
  server: Server,
  query: { readonly subject?: string | undefined; readonly expired: boolean },
  limit: number,
  signal?: AbortSignal,
): Promise<readonly ListedToken[]> {
  const tokens: ListedToken[] = [];
  for (let before: string | undefined; ;) {
    const search = searchOf({ ...query, before, limit: Math.min(1000, limit - tokens.length) });
    const text = await call(server, `_flywheel/v1/tokens?${search}`, signal);
    const page = parse(TokenPage, server, text);
    tokens.push(...page.tokens);
    if (page.next === null || tokens.length >= limit) return tokens;
    before = page.next;
  }
}

/** Throws `not-found`. */
export async function readToken(server: Server, id: string, signal?: AbortSignal) {
  const path = `_flywheel/v1/tokens/${encodeURIComponent(id)}`;
  return parse(Token, server, await call(server, path, signal));
}

export async function revokeTokens(
  server: Server,
  request: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<void> {
  await post(server, 'revocations', request, signal);
}

export interface AuditQuery {
  /** ISO 8601. */
  readonly since?: string | undefined;
  readonly cache?: string | undefined;
  readonly subject?: string | undefined;
  readonly action?: string | undefined;
}

/** The newest first, at most `limit`. */
export async function readAudit(
  server: Server,
  query: AuditQuery,
  limit: number,
  signal?: AbortSignal,
): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (let before: number | undefined; ;) {
    const search = searchOf({ ...query, before, limit: Math.min(1000, limit - entries.length) });
    const text = await call(server, `_flywheel/v1/audit?${search}`, signal);
    const page = parse(AuditPage, server, text);
    entries.push(...page.entries);
    if (page.next === null || entries.length >= limit) return entries;
    before = page.next;
  }
}

/** A token of the cache for an ID token of GitLab. Throws `unauthorized` with the reason. */
export async function exchangeIdToken(server: Server, idToken: string, signal?: AbortSignal) {
  return parse(Exchanged, server, await post(server, 'exchange', { id_token: idToken }, signal));
}

function post(
  server: Server,
  path: string,
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
): Promise<string> {
  return call(server, `_flywheel/v1/${path}`, signal, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function searchOf(query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}
