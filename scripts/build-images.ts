// Builds the images of build/images: `build-images.ts [TAG]`. With BASE it starts from another system.
// Beside them it leaves their bills of materials in .artifacts/images.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { layOutImage } from './image-tree.ts';

const ROOT = resolve(import.meta.dirname, '..');
const IMAGES = ['cache', 'flywheel'];
const BUILDERS = ['buildah', 'podman', 'docker'];

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const tag = process.argv[2] ?? manifest.version;
const builder = BUILDERS.find(isInstalled);
if (builder === undefined) {
  console.error(`build-images: none of ${BUILDERS.join(', ')} is installed, and one is needed`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'flywheel-images-'));
try {
  // Once for all of them; the stage of that name is not built then.
  layOutImage(join(folder, 'opt/flywheel'));
  for (const image of IMAGES) build(image);
} finally {
  rmSync(folder, { recursive: true });
}

function build(image: string): void {
  const name = `glorious-flywheel/${image}:${tag}`;
  const args = { VERSION: tag, REVISION: revision(), BASE: process.env['BASE'] };
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  // prettier-ignore
  run(['build', '--build-context', `tree=${folder}`, '--tag', name,
    '--file', join(ROOT, 'build/images', image, 'Containerfile'),
    ...given.map(([key, value]) => `--build-arg=${key}=${value}`), ROOT]);
  const bills = join(ROOT, '.artifacts/images');
  mkdirSync(bills, { recursive: true });
  copyFileSync(join(folder, 'opt/flywheel/sbom.cdx.json'), join(bills, `${image}.cdx.json`));
  console.log(name);
}

function run(args: readonly string[]): void {
  execFileSync(builder ?? '', args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

function revision(): string {
  return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
}

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
