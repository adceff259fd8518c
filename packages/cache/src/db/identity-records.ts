/** A token that was made here, as it is listed: without the token. */
export interface TokenRecord {
  readonly id: string;
  readonly subject: string;
  /** JSON, as people write grants. */
  readonly grants: string;
  readonly kid: string;
  readonly origin: 'api' | 'exchange';
  readonly createdBy: string | undefined;
  /** Id of the token that it was made with. */
  readonly createdWith: string | undefined;
  /** Milliseconds since the epoch, like all times here that do not say otherwise. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** To about a minute. */
  readonly lastUsedAt: number | undefined;
  readonly revoked: boolean;
}

export type NewTokenRecord = Omit<TokenRecord, 'createdAt' | 'lastUsedAt' | 'revoked'>;

export interface TokenQuery {
  readonly subject?: string | undefined;
  /** Only those that were made with this token. */
  readonly createdWith?: string | undefined;
  /** Only those that have not expired by then. */
  readonly validAt?: number | undefined;
  /** Only those made before this one: the next page. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** What the question of revocation depends on. */
export interface RevocableToken {
  readonly id: string | undefined;
  readonly subject: string | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
}

export type Revocation =
  | { readonly id: string; readonly expiresAt: number | undefined }
  /** All tokens of a subject, or of everybody, that were issued until a second since the epoch. */
  | { readonly subject: string | undefined; readonly issuedUntil: number };

export interface RevocationRecord {
  readonly id: number;
  readonly tokenId: string | undefined;
  readonly subject: string | undefined;
  readonly issuedUntil: number | undefined;
  readonly reason: string | undefined;
  readonly createdBy: string | undefined;
  readonly createdAt: number;
}

export interface AuditEntry {
  readonly at: number;
  readonly subject: string | undefined;
  /** Id of the token it was done with. */
  readonly tokenId: string | undefined;
  readonly action: string;
  readonly cache: string | undefined;
  readonly target: string | undefined;
  readonly requestId: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly result: string;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly id: number;
}

export interface AuditQuery {
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly cache?: string | undefined;
  readonly subject?: string | undefined;
  readonly action?: string | undefined;
  /** Only entries older than this one: the next page. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What is known of tokens, and who did what with them. */
export interface IdentityRecords {
  addToken(token: NewTokenRecord): Promise<void>;
  findToken(id: string): Promise<TokenRecord | undefined>;
  /** The newest first. */
  listTokens(query: TokenQuery): Promise<readonly TokenRecord[]>;
  /** Notes that these were used. Ids that nobody knows are ignored. */
  touchTokens(ids: readonly string[], at: number): Promise<void>;
  /** Revoking again changes nothing. */
  revoke(
    what: Revocation,
    why: { readonly reason: string | undefined; readonly by: string | undefined },
  ): Promise<void>;
  isRevoked(token: RevocableToken): Promise<boolean>;
  /** The newest first. */
  listRevocations(limit: number): Promise<readonly RevocationRecord[]>;

  /** Any number, in one statement for each few hundred. */
  addAudit(entries: readonly AuditEntry[]): Promise<void>;
  /** The newest first. */
  readAudit(query: AuditQuery): Promise<readonly StoredAuditEntry[]>;
  /** Forgets up to `limit` entries older than a time; returns how many. */
  removeAudit(before: number, limit: number): Promise<number>;
  /** Forgets up to `limit` tokens and their revocations that expired before a time; how many. */
  removeExpiredTokens(before: number, limit: number): Promise<number>;
}
