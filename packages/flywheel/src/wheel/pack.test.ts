import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect } from '@flywheel/base';
import { unpackNar } from '@flywheel/client';
import { packWheel } from './pack.ts';
import type { Wheel } from './pack.ts';
import { layCheckout } from './test-checkout.ts';

const LIMIT = 1024 ** 2;

let folder = '';
let checkout: { program: string; node: string };
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'flywheel-wheel-')));
  checkout = await layCheckout(join(folder, 'checkout'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function pack(from = checkout, storeDir?: string): Promise<Wheel> {
  const node = { executable: from.node, version: '26.0.0' };
  return packWheel({ program: from.program, node, ...(storeDir ? { storeDir } : {}) });
}

function namesOf(wheel: Wheel): readonly string[] {
  return wheel.paths.map(({ storePath }) => basename(storePath).slice(33));
}

test('each path comes after what it refers to, packages that need each other are one', async () => {
  const wheel = await pack();
  expect(namesOf(wheel)).toEqual([
    'node-26.0.0',
    'scope-loud-1.2.3',
    'own-words-1.2.3',
    'knot-1.2.3',
    'own-main-1.2.3',
    'flywheel-1.2.3',
  ]);
  expect(wheel.top).toBe(wheel.paths.at(-1)?.storePath);
  const seen = new Set<string>();
  for (const { storePath, references } of wheel.paths) {
    for (const reference of references) expect(seen).toContain(reference);
    seen.add(basename(storePath));
  }
});

test('what a path says of its contents is so, and its references occur in them', async () => {
  const { paths } = await pack();
  for (const path of paths) {
    const { storePath, references, narHash, narSize, ca } = path;
    const bytes = await collect(path.nar(), LIMIT);
    expect(bytes.length).toBe(narSize);
    expect(createHash('sha256').update(bytes).digest()).toEqual(narHash);
    expect(ca).toMatch(/^fixed:r:sha256:[0-9a-z]{52}$/);
    const text = bytes.toString('latin1');
    const occurring = paths
      .map((other) => basename(other.storePath))
      .filter((name) => {
        return text.includes(name);
      });
    expect(occurring.toSorted(), storePath).toEqual(references.toSorted());
    expect(text, storePath).not.toContain('throw new Error()');
    if (!storePath.endsWith('-node-26.0.0')) expect(text, storePath).not.toContain(folder);
  }
});

test('neither where the checkout lies nor when it was written changes a path', async () => {
  const elsewhere = await layCheckout(join(folder, 'another place'));
  const time = new Date('2001-02-03T04:05:06Z');
  await utimes(join(elsewhere.program, 'src/main.ts'), time, time);
  const first = await pack();
  const second = await pack({ ...elsewhere, node: checkout.node });
  expect(second.top).toBe(first.top);
  // nix-store --print-fixed-path --recursive sha256 "$(nix-hash …)" scope-loud-1.2.3, by Nix 2.8.
  expect(first.paths[1]?.storePath).toBe(
    '/nix/store/90iczkjkjmrm7csqmfw38y7r4jpnw4rg-scope-loud-1.2.3',
  );
});

test('unpacked it runs, and packs itself to the same paths', async () => {
  const storeDir = join(folder, 'store');
  await mkdir(storeDir);
  const wheel = await pack(checkout, storeDir);
  for (const path of wheel.paths) await unpackNar(path.nar(), path.storePath);

  const said = execFileSync(join(wheel.top, 'bin/flywheel'), ['ada'], { encoding: 'utf8' });
  expect(said).toBe('HELLO ADA ring of function\n');

  const main = wheel.paths.find(({ storePath }) => storePath.endsWith('-own-main-1.2.3'));
  const node = wheel.paths[0]?.storePath ?? '';
  const again = await pack(
    { program: join(main?.storePath ?? '', 'packages/main'), node: join(node, 'bin/node') },
    storeDir,
  );
  expect(again.paths.map(({ storePath }) => storePath)).toEqual(
    wheel.paths.map(({ storePath }) => storePath),
  );
});

test('what is not installed is named, with what to do', async () => {
  const broken = await layCheckout(join(folder, 'broken'));
  await rm(join(broken.program, 'node_modules/ring'));
  await expect(pack(broken)).rejects.toMatchObject({
    code: 'not-found',
    message: '@own/main 1.2.3 needs ring: not installed',
    details: { hint: 'Remove node_modules and start ./flywheel again: it installs them.' },
  });
});

test('it stops between two paths', async () => {
  const { program, node } = checkout;
  const stop = new AbortController();
  const packing = packWheel({
    program,
    node: { executable: node, version: '26.0.0' },
    signal: stop.signal,
    onProgress: ({ done }) => done === 2 && stop.abort(new Error('enough')),
  });
  await expect(packing).rejects.toThrow('enough');
});
