import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildOnce, enginesFolder } from '../index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engines-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the folder follows XDG, and an empty variable counts as unset', () => {
  expect(enginesFolder({ XDG_CACHE_HOME: '/c', HOME: '/h' })).toBe('/c/flywheel/engines');
  expect(enginesFolder({ XDG_CACHE_HOME: '', HOME: '/h' })).toBe('/h/.cache/flywheel/engines');
});

test('it is built once, whoever asks at the same time, and only then appears', async () => {
  const path = join(folder, 'parent', 'engine');
  let builds = 0;
  const build = async (draft: string): Promise<void> => {
    builds += 1;
    await writeFile(join(draft, 'first'), '');
    await sleep(50);
    expect(await readdir(join(folder, 'parent'))).not.toContain('engine');
    await writeFile(join(draft, 'second'), '');
  };
  const answers = await Promise.all([1, 2, 3].map(() => buildOnce(path, build)));
  expect(answers).toEqual([path, path, path]);
  expect(builds).toBe(1);
  expect(await readdir(path)).toEqual(['first', 'second']);
  expect(await readdir(join(folder, 'parent'))).toEqual(['engine']);
});

test('a failed build leaves nothing behind and is tried again', async () => {
  const path = join(folder, 'engine');
  const failing = buildOnce(path, () => Promise.reject(new Error('no network')));
  await expect(failing).rejects.toThrow('no network');
  expect(await readdir(folder)).toEqual([]);
  await buildOnce(path, (draft) => writeFile(join(draft, 'file'), ''));
  expect(await readdir(path)).toEqual(['file']);
});

test('the lock of a dead process is taken over', async () => {
  const path = join(folder, 'engine');
  // Over the largest process id that Linux hands out.
  await writeFile(`${path}.lock`, '4194305\n');
  await buildOnce(path, (draft) => writeFile(join(draft, 'file'), ''));
  expect(await readdir(folder)).toEqual(['engine']);
});
