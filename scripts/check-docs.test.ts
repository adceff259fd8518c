import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkDocs } from './check-docs.ts';
import { readCommandTree } from './command-tree.ts';

const commands = await readCommandTree();

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'flywheel-docs-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

test('links and anchors that resolve are fine', async () => {
  await file('docs/b.md', '# Two words, and `code`\n\n## Two\n\n## Two\n');
  await file('LICENSE', '');
  await file(
    'a.md',
    '[one](docs/b.md#two-words-and-code) [two](docs/b.md#two-1 "title") [web](https://x.org/y)\n' +
      '[![badge](docs/b.md)](LICENSE) [here](#down)\n\n[ref]: docs/b.md\n\n# Down\n\n`[no](link)`\n',
  );
  expect(checkDocs(root, commands)).toEqual([]);
});

test('what does not resolve is found, with its line', async () => {
  await file('docs/b.md', '# Heading\n');
  await file(
    'docs/a.md',
    '[a](c.md)\n[b](b.md#headings)\n[c](#nowhere)\n[ref]: d.md\n<img src="e.png">\n',
  );
  expect(checkDocs(root, commands)).toEqual([
    'docs/a.md:1: c.md does not exist',
    'docs/a.md:2: docs/b.md has no heading #headings',
    'docs/a.md:3: docs/a.md has no heading #nowhere',
    'docs/a.md:4: d.md does not exist',
    'docs/a.md:5: e.png does not exist',
  ]);
});

test('commands and flags must exist', async () => {
  await file(
    'a.md',
    '```sh\n$ ./flywheel doctor --port 8080 && ./flywheel fly\n./flywheel test -- --reporter x\n```\n\n' +
      '`./flywheel doctor --prot 1`, `./flywheel --version`, `./flywheel COMMAND --help`\n\n' +
      '    ./flywheel vesion # indented code\n\nIn prose ./flywheel may be followed by words.\n',
  );
  expect(checkDocs(root, commands)).toEqual([
    'a.md:2: ./flywheel has no command "fly"',
    'a.md:6: ./flywheel doctor has no flag --prot',
    'a.md:8: ./flywheel has no command "vesion"',
  ]);
});

test('a page must make sense on every machine, and be finished', async () => {
  await file(
    'docs/a.md',
    'See `/home/ada/x`.\nSee `../../outside`.\nSee `../inside`.\nTODO: more\n',
  );
  expect(checkDocs(root, commands)).toEqual([
    'docs/a.md:2: ../../outside leaves the repository',
    'docs/a.md:1: names a path of one machine: See `/home/ada/x`.',
    'docs/a.md:4: is not finished: TODO: more',
  ]);
});

async function file(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}
