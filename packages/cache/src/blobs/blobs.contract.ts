import { afterAll, beforeAll, expect, test } from 'vitest';
import { isBlobKey, type Blobs } from './blobs.ts';

/** What every place for blobs must do. `open` gives an empty one and how to get rid of it. */
export function blobsContract(
  open: () => Promise<{ readonly blobs: Blobs; readonly dispose: () => Promise<void> }>,
): void {
  let blobs: Blobs;
  let dispose: () => Promise<void>;

  beforeAll(async () => {
    ({ blobs, dispose } = await open());
  });
  afterAll(() => dispose());

  async function write(key: string, pieces: readonly string[]): Promise<void> {
    const writer = await blobs.create(key);
    for (const piece of pieces) await writer.write([Buffer.from(piece)]);
    await writer.commit();
  }

  async function read(key: string, offset: number, length: number): Promise<string> {
    const reader = await blobs.open(key);
    if (reader === undefined) throw new Error(`${key} is missing`);
    const bytes = Buffer.alloc(length);
    try {
      await reader.read(bytes, offset);
    } finally {
      await reader.close();
    }
    return bytes.toString();
  }

  async function keys(): Promise<readonly string[]> {
    const entries = await Array.fromAsync(blobs.list());
    return entries.map((entry) => entry.key).toSorted();
  }

  test('what was written is read, in any part', async () => {
    await write('aa/aaaaaaaa.pack', ['Hello, ', 'blob', '!']);
    expect(await read('aa/aaaaaaaa.pack', 0, 12)).toBe('Hello, blob!');
    expect(await read('aa/aaaaaaaa.pack', 7, 4)).toBe('blob');
    const reader = await blobs.open('aa/aaaaaaaa.pack');
    expect(reader?.size).toBe(12);
    await reader?.close();
  });

  test('reading past the end is corrupt, not short', async () => {
    await expect(read('aa/aaaaaaaa.pack', 8, 5)).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('a blob that went away while it was open is corrupt', async () => {
    await write('ba/bababaab.pack', ['here today']);
    const reader = await blobs.open('ba/bababaab.pack');
    await blobs.remove('ba/bababaab.pack');
    const bytes = Buffer.alloc(4);
    // A folder keeps the bytes of an open file; a bucket does not.
    await reader?.read(bytes, 5).then(
      () => expect(bytes.toString()).toBe('toda'),
      (error: unknown) => expect(error).toMatchObject({ code: 'corrupt' }),
    );
    await reader?.close();
  });

  test('an absent blob is undefined', async () => {
    expect(await blobs.open('bb/bbbbbbbb.pack')).toBeUndefined();
  });

  test('nothing is visible before commit or after abort', async () => {
    const writer = await blobs.create('cc/cccccccc.pack');
    await writer.write([Buffer.from('half')]);
    expect(await blobs.open('cc/cccccccc.pack')).toBeUndefined();
    expect(await keys()).not.toContain('cc/cccccccc.pack');
    await writer.abort();
    await writer.abort();
    expect(await blobs.open('cc/cccccccc.pack')).toBeUndefined();
  });

  test('removing is final and may be repeated', async () => {
    await write('dd/dddddddd.pack', ['x']);
    expect(await keys()).toContain('dd/dddddddd.pack');
    await blobs.remove('dd/dddddddd.pack');
    await blobs.remove('dd/dddddddd.pack');
    expect(await blobs.open('dd/dddddddd.pack')).toBeUndefined();
    expect(await keys()).not.toContain('dd/dddddddd.pack');
  });

  test('what an upload left that ended without a word goes by its key', async () => {
    const silent = await blobs.create('ab/silent-1.pack');
    await silent.write([Buffer.alloc(1000, 'x')]);
    await write('ab/silent-2.pack', ['committed, but nobody knows']);
    await blobs.discard('ab/silent-1.pack');
    await blobs.discard('ab/silent-2.pack');
    await blobs.discard('ab/silent-3.pack');
    expect(await keys()).not.toContain('ab/silent-2.pack');
    await silent.abort();
  });

  test('it works, and says so', async () => {
    await blobs.probe();
  });

  test('the list tells size and age', async () => {
    const before = Date.now() - 2000;
    await write('ee/eeeeeeee.pack', ['12345']);
    const entries = await Array.fromAsync(blobs.list());
    const entry = entries.find(({ key }) => key === 'ee/eeeeeeee.pack');
    expect(entry?.size).toBe(5);
    expect(entry?.modifiedMs).toBeGreaterThan(before);
  });

  test('several pieces in one write keep their order', async () => {
    const writer = await blobs.create('ff/ffffffff.pack');
    await writer.write([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
    await writer.commit();
    expect(await read('ff/ffffffff.pack', 0, 3)).toBe('abc');
  });

  test.each(['../../etc/passwd', 'aa/../../x.pack', '/etc/passwd', 'aa/x', 'aa/AAAAAAAA.pack'])(
    '%s is no key',
    (key) => {
      expect(isBlobKey(key)).toBe(false);
    },
  );
}
