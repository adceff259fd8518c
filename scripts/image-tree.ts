// Lays out what an image holds, in FOLDER: `image-tree.ts FOLDER`. That is the sources without tests, the
// packages of the lock file that they run with, its Node, and a bill of all these. Nothing but Node
// and npm is needed, and of the checkout what .containerignore lets through.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatSbom, integritiesOf } from './sbom.ts';
import type { InstalledPackage } from './sbom.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** None of these runs: tests, what only they need, and the sources of the WebAssembly module. */
const DROPPED =
  /^packages\/testing(\/|$)|^packages\/[^/]+\/(testdata|assembly)(\/|$)|\.(test|contract)\.ts$|\/test-[^/]+\.ts$/;
const COMMAND = `#!/bin/sh
exec /opt/flywheel/bin/node --max-semi-space-size=1 --optimize-for-size /opt/flywheel/packages/flywheel/src/main.ts "$@"
`;

/** Fills `folder`, which becomes /opt/flywheel. What was there before is removed. */
export function layOutImage(folder: string): void {
  const launcher = readFileSync(join(ROOT, 'flywheel'), 'utf8');
  const setting = (name: string): string =>
    new RegExp(`^${name}='?([^'\n]+)'?$`, 'm').exec(launcher)?.[1] ?? '';
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const part of setting('PARTS').split(' ')) {
    if (part === 'flywheel') continue;
    cpSync(join(ROOT, part), join(folder, part), { recursive: true, filter: isKept });
  }
  execFileSync(
    'npx',
    ['--yes', setting('PNPM'), 'install', '--frozen-lockfile', '--prod', '--prefer-offline'],
    { cwd: folder, env: { ...process.env, CI: '1' }, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  trimNode(folder);
  writeFileSync(join(folder, 'bin', 'flywheel'), COMMAND);
  chmodSync(join(folder, 'bin', 'flywheel'), 0o755);
  writeFileSync(join(folder, 'sbom.cdx.json'), billOf(folder));
}

function isKept(source: string): boolean {
  const path = relative(ROOT, source);
  return !DROPPED.test(path) && !path.split('/').includes('node_modules');
}

/** Puts the Node of this machine's kind into bin, and leaves out its headers and manuals. */
function trimNode(folder: string): void {
  const modules = join(folder, 'node_modules');
  const name = readdirSync(modules).find((entry) => /^node-(linux|bin)-/.test(entry));
  if (name === undefined) throw new Error(`no Node among the packages of ${folder}`);
  mkdirSync(join(folder, 'bin'));
  symlinkSync(join('../node_modules', name, 'bin/node'), join(folder, 'bin/node'));
  for (const unused of ['include', 'share', 'CHANGELOG.md', 'README.md']) {
    rmSync(join(modules, name, unused), { recursive: true, force: true });
  }
}

function billOf(folder: string): string {
  const integrities = integritiesOf(readFileSync(join(folder, 'pnpm-lock.yaml'), 'utf8'));
  const packages = installedIn(folder).map((found): InstalledPackage => {
    const integrity = integrities.get(`${found.name}@${found.version}`);
    return integrity === undefined ? found : { ...found, integrity };
  });
  const { version } = readManifest(join(folder, 'package.json'));
  return formatSbom({ name: 'glorious-flywheel', version }, packages);
}

/** The packages in pnpm's folder, which holds each of them once; the links beside it are to others. */
function installedIn(folder: string): readonly InstalledPackage[] {
  const store = join(folder, 'node_modules', '.pnpm');
  return readdirSync(store)
    .flatMap((entry) =>
      globSync('{*,@*/*}', {
        cwd: join(store, entry, 'node_modules'),
        withFileTypes: true,
      }),
    )
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('@'))
    .map((entry) => readManifest(join(entry.parentPath, entry.name, 'package.json')));
}

function readManifest(path: string): InstalledPackage {
  const { name, version, license } = JSON.parse(readFileSync(path, 'utf8')) as InstalledPackage;
  return { name, version, ...(typeof license === 'string' ? { license } : {}) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('usage: image-tree.ts FOLDER');
  layOutImage(resolve(folder));
}
