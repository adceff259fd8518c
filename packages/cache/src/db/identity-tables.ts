import type { Generated } from 'kysely';

/** A token that was made here. Neither the token nor anything that could sign one is kept. */
export interface TokenTable {
  /** Its `jti`. */
  id: string;
  subject: string;
  /** JSON, as people write grants. */
  grants: string;
  kid: string;
  /** `api` or `exchange`. */
  origin: string;
  /** Subject of whoever made it, and the id of the token it was made with. */
  created_by: string | null;
  created_with: string | null;
  created_at: number;
  expires_at: number;
  last_used_at: number | null;
}

/** Tokens that count no more: one, or those that were issued until a time. */
export interface RevocationTable {
  id: Generated<number>;
  jti: string | null;
  /** Null with a null jti: of everybody. */
  subject: string | null;
  /** Seconds since the epoch, as in the tokens; null for a single token. */
  issued_until: number | null;
  reason: string | null;
  created_by: string | null;
  created_at: number;
  /** When the token would have expired by itself; null when nobody knows. */
  expires_at: number | null;
}

/** Who changed what. */
export interface AuditTable {
  id: Generated<number>;
  at: number;
  subject: string | null;
  jti: string | null;
  action: string;
  cache: string | null;
  target: string | null;
  request_id: string | null;
  remote_address: string | null;
  result: string;
}

/** What a migration runs. */
export const IDENTITY_TABLES: readonly string[] = [
  `create table token (
     id text primary key,
     subject text not null,
     grants text not null,
     kid text not null,
     origin text not null,
     created_by text,
     created_with text,
     created_at integer not null,
     expires_at integer not null,
     last_used_at integer) without rowid`,
  `create index token_expires on token (expires_at)`,
  `create index token_created on token (created_at, id)`,
  `create table revocation (
     id integer primary key,
     jti text unique,
     subject text,
     issued_until integer,
     reason text,
     created_by text,
     created_at integer not null,
     expires_at integer)`,
  `create index revocation_subject on revocation (issued_until) where jti is null`,
  `create table audit (
     id integer primary key,
     at integer not null,
     subject text,
     jti text,
     action text not null,
     cache text,
     target text,
     request_id text,
     remote_address text,
     result text not null)`,
  `create index audit_at on audit (at)`,
  `create index audit_cache on audit (cache, id)`,
];
