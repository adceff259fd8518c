import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AuditEntry, NewTokenRecord } from './identity-records.ts';
import type { Metadata } from './metadata.ts';

const HOUR_MS = 3600_000;

/** What every database must do with tokens and the audit log. */
export function identityRecordsContract(
  open: (clock: { now(): number }) => Promise<Metadata>,
): void {
  let now: number;
  let records: Metadata;

  beforeEach(async () => {
    now = Date.UTC(2027, 0, 1);
    records = await open({ now: () => now });
  });
  afterEach(() => records.close());

  function token(id: string, changes: Partial<NewTokenRecord> = {}): NewTokenRecord {
    return {
      id,
      subject: 'ci',
      grants: '[]',
      kid: 'key',
      origin: 'api',
      createdBy: 'admin',
      createdWith: 'root',
      expiresAt: now + HOUR_MS,
      ...changes,
    };
  }

  function entry(changes: Partial<AuditEntry> = {}): AuditEntry {
    return {
      at: now,
      subject: 'ci',
      tokenId: 'one',
      action: 'push',
      cache: 'main',
      target: undefined,
      requestId: 'r-1',
      remoteAddress: '::1',
      result: 'ok',
      ...changes,
    };
  }

  const seconds = (): number => Math.floor(now / 1000);
  const WHY = { reason: 'why', by: 'admin' };

  test('tokens are found, listed from the newest on, and touched', async () => {
    await records.addToken(token('one'));
    await records.addToken(token('same-time'));
    now += 1000;
    await records.addToken(token('two', { subject: 'ada', createdWith: 'other' }));
    await records.touchTokens(['one', 'unknown'], now + 5);

    expect(await records.findToken('one')).toEqual({
      ...token('one', { expiresAt: now - 1000 + HOUR_MS }),
      createdAt: now - 1000,
      lastUsedAt: now + 5,
      revoked: false,
    });
    expect(await records.findToken('none')).toBeUndefined();
    const ids = async (query: object): Promise<readonly string[]> =>
      (await records.listTokens({ limit: 10, ...query })).map(({ id }) => id);
    expect(await ids({})).toEqual(['two', 'same-time', 'one']);
    expect(await ids({ limit: 2 })).toEqual(['two', 'same-time']);
    expect(await ids({ before: 'same-time' })).toEqual(['one']);
    expect(await ids({ subject: 'ada' })).toEqual(['two']);
    expect(await ids({ createdWith: 'root' })).toEqual(['same-time', 'one']);
    expect(await ids({ validAt: now - 1000 + HOUR_MS })).toEqual(['two']);
  });

  test('a token is revoked by its name, by its subject, or with everybody', async () => {
    const one = { id: 'one', subject: 'ci', issuedAt: seconds() };
    const attic = { id: undefined, subject: 'ci', issuedAt: seconds() };
    const ada = { id: 'two', subject: 'ada', issuedAt: seconds() };
    const nobody = { id: undefined, subject: undefined, issuedAt: seconds() };
    const all = () => Promise.all([one, attic, ada, nobody].map((each) => records.isRevoked(each)));

    expect(await all()).toEqual([false, false, false, false]);
    await records.revoke({ id: 'one', expiresAt: undefined }, WHY);
    await records.revoke({ id: 'one', expiresAt: undefined }, WHY);
    expect(await all()).toEqual([true, false, false, false]);
    await records.revoke({ subject: 'ci', issuedUntil: seconds() - 1 }, WHY);
    expect(await all()).toEqual([true, false, false, false]);
    await records.revoke({ subject: 'ci', issuedUntil: seconds() }, WHY);
    expect(await all()).toEqual([true, true, false, false]);
    await records.revoke({ subject: undefined, issuedUntil: seconds() }, WHY);
    expect(await all()).toEqual([true, true, true, true]);
    expect(await records.isRevoked({ ...ada, issuedAt: seconds() + 1 })).toBe(false);
    expect(await records.listRevocations(10)).toMatchObject([
      { tokenId: undefined, subject: undefined, issuedUntil: seconds() },
      { subject: 'ci', issuedUntil: seconds() },
      { subject: 'ci', issuedUntil: seconds() - 1 },
      { tokenId: 'one', issuedUntil: undefined, reason: 'why', createdBy: 'admin', createdAt: now },
    ]);
  });

  test('the list says of each token whether it is revoked', async () => {
    await records.addToken(token('one'));
    await records.addToken(token('two'));
    await records.addToken(token('three', { subject: 'ada' }));
    const states = async () =>
      (await records.listTokens({ limit: 9 })).map(({ id, revoked }) => [id, revoked]);

    await records.revoke({ id: 'one', expiresAt: undefined }, WHY);
    expect(await states()).toEqual([
      ['two', false],
      ['three', false],
      ['one', true],
    ]);
    await records.revoke({ subject: 'ci', issuedUntil: seconds() }, WHY);
    expect(await states()).toEqual([
      ['two', true],
      ['three', false],
      ['one', true],
    ]);
  });

  test('any number of audit entries, read page by page and by what they say', async () => {
    const many = Array.from({ length: 700 }, (_, i) => entry({ at: now + i, target: `t${i}` }));
    await records.addAudit(many);
    await records.addAudit([entry({ at: now + 700, action: 'revoke', cache: undefined })]);
    await records.addAudit([]);

    const [newest, next] = await records.readAudit({ limit: 2 });
    expect(newest).toMatchObject({
      ...entry({ at: now + 700, action: 'revoke' }),
      cache: undefined,
    });
    expect(next).toMatchObject(many[699]!);
    const older = await records.readAudit({ limit: 1, before: next!.id });
    expect(older).toMatchObject([many[698]!]);
    const times = { since: now + 10, until: now + 12 };
    const found = await records.readAudit({ limit: 9, ...times, cache: 'main', action: 'push' });
    expect(found.map(({ target }) => target)).toEqual(['t11', 't10']);
    expect(await records.readAudit({ limit: 9, cache: 'other' })).toEqual([]);
  });

  test('what is old is forgotten in pieces, and nothing else', async () => {
    await records.addAudit(Array.from({ length: 5 }, (_, i) => entry({ at: now + i })));
    expect(await records.removeAudit(now + 3, 2)).toBe(2);
    expect(await records.removeAudit(now + 3, 2)).toBe(1);
    expect(await records.removeAudit(now + 3, 2)).toBe(0);
    expect(await records.readAudit({ limit: 9 })).toHaveLength(2);

    await records.addToken(token('old', { expiresAt: now - 1 }));
    await records.addToken(token('new'));
    await records.revoke({ id: 'old', expiresAt: now - 1 }, WHY);
    await records.revoke({ id: 'unknown', expiresAt: undefined }, WHY);
    expect(await records.removeExpiredTokens(now, 10)).toBe(1);
    expect((await records.listTokens({ limit: 9 })).map(({ id }) => id)).toEqual(['new']);
    expect((await records.listRevocations(9)).map(({ tokenId }) => tokenId)).toEqual(['unknown']);
  });
}
