import { sql, type ExpressionBuilder, type Selectable } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import type {
  AuditEntry,
  IdentityRecords,
  RevocableToken,
  StoredAuditEntry,
  TokenRecord,
} from './identity-records.ts';
import type { AuditTable, TokenTable } from './identity-tables.ts';
import { batches, insertRuns, LIST_LIMIT, padded } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';

export function sqlIdentityRecords(database: DatabaseHandle, now: Now): IdentityRecords {
  const { db } = database;

  function tokens() {
    return db
      .selectFrom('token')
      .selectAll()
      .select((eb) => [eb.exists(revocationOf(eb)).as('revoked')]);
  }

  return {
    async addToken(token) {
      await db
        .insertInto('token')
        .values({
          id: token.id,
          subject: token.subject,
          grants: token.grants,
          kid: token.kid,
          origin: token.origin,
          created_by: token.createdBy ?? null,
          created_with: token.createdWith ?? null,
          created_at: now(),
          expires_at: token.expiresAt,
          last_used_at: null,
        })
        .execute();
    },

    async findToken(id) {
      const row = await tokens().where('id', '=', id).executeTakeFirst();
      return row && tokenOf(row);
    },

    async listTokens({ subject, createdWith, validAt, before, limit }) {
      let query = tokens();
      if (subject !== undefined) query = query.where('subject', '=', subject);
      if (createdWith !== undefined) query = query.where('created_with', '=', createdWith);
      if (validAt !== undefined) query = query.where('expires_at', '>', validAt);
      if (before !== undefined) {
        const last = db.selectFrom('token as last').where('last.id', '=', before);
        query = query.where((eb) =>
          eb.or([
            eb('created_at', '<', last.select('last.created_at')),
            eb.and([
              eb('created_at', '=', last.select('last.created_at')),
              eb('token.id', '<', before),
            ]),
          ]),
        );
      }
      const rows = await query
        .orderBy('created_at', 'desc')
        .orderBy('token.id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(tokenOf);
    },

    async touchTokens(ids, at) {
      for (const batch of batches(ids, LIST_LIMIT)) {
        const known = db
          .selectFrom('token')
          .select('id')
          .where('id', 'in', padded(batch))
          // Who holds it is writing it, and with a time like ours.
          .forNoKeyUpdate()
          .skipLocked();
        await db.updateTable('token').set({ last_used_at: at }).where('id', 'in', known).execute();
      }
    },

    async revoke(what, { reason, by }) {
      const one = 'id' in what;
      await db
        .insertInto('revocation')
        .values({
          jti: one ? what.id : null,
          subject: one ? null : (what.subject ?? null),
          issued_until: one ? null : what.issuedUntil,
          reason: reason ?? null,
          created_by: by ?? null,
          created_at: now(),
          expires_at: one ? (what.expiresAt ?? null) : null,
        })
        .onConflict((conflict) => conflict.column('jti').doNothing())
        .execute();
    },

    async isRevoked(token) {
      const row = await db
        .selectFrom('revocation')
        .select('id')
        .where((eb) => concerns(eb, token))
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },

    async listRevocations(limit) {
      const rows = await db
        .selectFrom('revocation')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        id: row.id,
        tokenId: row.jti ?? undefined,
        subject: row.subject ?? undefined,
        issuedUntil: row.issued_until ?? undefined,
        reason: row.reason ?? undefined,
        createdBy: row.created_by ?? undefined,
        createdAt: row.created_at,
      }));
    },

    async addAudit(entries) {
      for (const run of insertRuns(entries)) {
        await db.insertInto('audit').values(run.map(auditRow)).execute();
      }
    },

    async readAudit({ since, until, cache, subject, action, before, limit }) {
      let query = db.selectFrom('audit').selectAll();
      if (since !== undefined) query = query.where('at', '>=', since);
      if (until !== undefined) query = query.where('at', '<', until);
      if (cache !== undefined) query = query.where('cache', '=', cache);
      if (subject !== undefined) query = query.where('subject', '=', subject);
      if (action !== undefined) query = query.where('action', '=', action);
      if (before !== undefined) query = query.where('id', '<', before);
      return (await query.orderBy('id', 'desc').limit(limit).execute()).map(auditOf);
    },

    async removeAudit(before, limit) {
      const old = db
        .selectFrom('audit')
        .select('id')
        .where('at', '<', before)
        .orderBy('at')
        .limit(limit)
        .forUpdate()
        .skipLocked();
      const { numDeletedRows } = await db
        .deleteFrom('audit')
        .where('id', 'in', old)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },

    async removeExpiredTokens(before, limit) {
      const old = db
        .selectFrom('token')
        .select('id')
        .where('expires_at', '<', before)
        .orderBy('expires_at')
        .limit(limit)
        .forUpdate()
        .skipLocked();
      const { numDeletedRows } = await db
        .deleteFrom('token')
        .where('id', 'in', old)
        .executeTakeFirstOrThrow();
      await db.deleteFrom('revocation').where('expires_at', '<', before).execute();
      return Number(numDeletedRows);
    },
  };
}

/** Rows that revoke this token: by its name, or with all of its subject or of everybody. */
function concerns(
  eb: ExpressionBuilder<Schema, 'revocation'>,
  { id, subject, issuedAt }: RevocableToken,
) {
  const many = eb.and([
    eb('jti', 'is', null),
    eb('issued_until', '>=', Math.floor(issuedAt)),
    subject === undefined
      ? eb('subject', 'is', null)
      : eb.or([eb('subject', 'is', null), eb('subject', '=', subject)]),
  ]);
  return id === undefined ? many : eb.or([eb('jti', '=', id), many]);
}

/** The same for a row of `token`; those have always a name, and were issued when they were made. */
function revocationOf(eb: ExpressionBuilder<Schema, 'token'>) {
  return eb
    .selectFrom('revocation')
    .select('revocation.id')
    .where((each) =>
      each.or([
        each('revocation.jti', '=', each.ref('token.id')),
        each.and([
          each('revocation.jti', 'is', null),
          each(
            sql<number>`revocation.issued_until * 1000 + 999`,
            '>=',
            each.ref('token.created_at'),
          ),
          each.or([
            each('revocation.subject', 'is', null),
            each('revocation.subject', '=', each.ref('token.subject')),
          ]),
        ]),
      ]),
    );
}

function tokenOf(row: Selectable<TokenTable> & { readonly revoked: unknown }): TokenRecord {
  return {
    id: row.id,
    subject: row.subject,
    grants: row.grants,
    kid: row.kid,
    origin: row.origin as TokenRecord['origin'],
    createdBy: row.created_by ?? undefined,
    createdWith: row.created_with ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at ?? undefined,
    // SQLite has no booleans.
    revoked: Boolean(row.revoked),
  };
}

function auditRow(entry: AuditEntry) {
  return {
    at: entry.at,
    subject: entry.subject ?? null,
    jti: entry.tokenId ?? null,
    action: entry.action,
    cache: entry.cache ?? null,
    target: entry.target ?? null,
    request_id: entry.requestId ?? null,
    remote_address: entry.remoteAddress ?? null,
    result: entry.result,
  };
}

function auditOf(row: Selectable<AuditTable>): StoredAuditEntry {
  return {
    id: row.id,
    at: row.at,
    subject: row.subject ?? undefined,
    tokenId: row.jti ?? undefined,
    action: row.action,
    cache: row.cache ?? undefined,
    target: row.target ?? undefined,
    requestId: row.request_id ?? undefined,
    remoteAddress: row.remote_address ?? undefined,
    result: row.result,
  };
}
