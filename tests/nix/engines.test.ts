import { expect, test } from 'vitest';
import { buildClosure, findNix, isMissing, NIX_VERSIONS } from '@flywheel/testing';
import type { NixEngine } from '@flywheel/testing';
import { describeEachNix, jsonArguments } from './each-nix.ts';

describeEachNix('the engine itself', (nix) => {
  test('stores are private, and empty at first', async () => {
    await using one = await nix.openStore();
    await using two = await nix.openStore();
    const path = await one.mustRun(['nix-store', '--add', `${one.folder}/conf/nix.conf`]);
    expect(path).toMatch(/^\/nix\/store\/[a-z0-9]{32}-nix\.conf$/);
    expect((await one.run(['nix-store', '--check-validity', path])).status).toBe(0);
    expect((await two.run(['nix-store', '--check-validity', path])).status).toBe(1);
  });

  test('it builds offline, with references and all kinds of content', async () => {
    await using store = await nix.openStore();
    const { root, paths } = await buildClosure(store, { paths: 60 });
    expect(paths.at(-1)).toBe(root);
    const references = await store.mustRun(['nix-store', '--query', '--references', root]);
    expect(references.split('\n').length).toBe(56);
    const infos = await store.mustRun(['nix', 'path-info', ...jsonArguments(nix), '--all']);
    for (const method of ['text:sha256:', 'fixed:r:sha256:', 'fixed:sha256:']) {
      expect(infos).toContain(`"ca":"${method}`);
    }
  });
});

test('both nixes build the same paths', async ({ skip }) => {
  const built: (readonly string[])[] = [];
  for (const version of NIX_VERSIONS) {
    const nix = await findNix(version);
    if (isMissing(nix)) skip(nix.missing);
    else built.push(await builtPaths(nix));
  }
  expect(built[0]).toEqual(built[1]);
});

async function builtPaths(nix: NixEngine): Promise<readonly string[]> {
  await using store = await nix.openStore();
  return (await buildClosure(store, { paths: 12 })).paths.toSorted();
}
