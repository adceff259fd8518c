import { afterEach, beforeEach, expect, test } from 'vitest';
import { tidy } from '../retention/tidy-run.ts';
import type { Cache, Metadata } from './metadata.ts';
import { TEST_SETTINGS } from './test-settings.ts';

const DAY_MS = 24 * 3600 * 1000;
const HASH = 'a'.repeat(32);

/** What every database must do with build logs and realisations. */
export function buildRecordsContract(open: (clock: { now(): number }) => Promise<Metadata>): void {
  let now: number;
  let metadata: Metadata;
  let cache: Cache;

  beforeEach(async () => {
    now = Date.UTC(2027, 0, 1);
    metadata = await open({ now: () => now });
    cache = await metadata.createCache('main', TEST_SETTINGS);
  });
  afterEach(() => metadata.close());

  const log = async (drv: string) => (await metadata.findLog(cache.id, drv))?.toString();

  test('a log is there until nobody has read it for 90 days', async () => {
    expect(await log('a.drv')).toBeUndefined();
    await metadata.putLog(cache.id, 'a.drv', Buffer.from('first'));
    await metadata.putLog(cache.id, 'a.drv', Buffer.from('second'));
    await metadata.putLog(cache.id, 'b.drv', Buffer.from('other'));
    now += 60 * DAY_MS;
    expect(await log('a.drv')).toBe('second');
    now += 60 * DAY_MS;
    expect(await tidy(metadata, now)).toEqual({
      logs: 1,
      realisations: 0,
      audit_entries: 0,
      tokens: 0,
    });
    expect(await log('a.drv')).toBe('second');
    expect(await log('b.drv')).toBeUndefined();
    await metadata.deleteCache(cache.id);
    expect(await log('a.drv')).toBeUndefined();
  });

  test('signatures of the same realisation come together, another content replaces', async () => {
    const put = (content: string, sigs: readonly string[]) =>
      metadata.putRealisation(cache.id, { id: 'x!out', outPathHash: HASH, content, sigs }, 3);
    const found = () => metadata.findRealisation(cache.id, 'x!out');
    expect(await found()).toBeUndefined();
    await put('{"a":1}', ['one']);
    await put('{"a":1}', ['two', 'one']);
    expect(await found()).toEqual({
      id: 'x!out',
      outPathHash: HASH,
      content: '{"a":1}',
      sigs: ['two', 'one'],
    });
    await Promise.all(['three', 'four'].map((sig) => put('{"a":1}', [sig])));
    expect((await found())?.sigs).toHaveLength(3);
    await put('{"a":2}', ['five']);
    expect((await found())?.sigs).toEqual(['five']);
  });

  test('a realisation goes with its path, but not before a day', async () => {
    const realisation = { id: 'x!out', outPathHash: HASH, content: '{}', sigs: [] };
    await metadata.putRealisation(cache.id, realisation, 3);
    await tidy(metadata, now + DAY_MS);
    expect(await metadata.findRealisation(cache.id, 'x!out')).toBeDefined();
    await tidy(metadata, now + DAY_MS + 1);
    expect(await metadata.findRealisation(cache.id, 'x!out')).toBeUndefined();
  });
}
