// Builds the images of build/images: `build-images.ts [TAG]`. With BASE it starts from another system,
// with TOFU it takes OpenTofu from another image. Beside them it leaves their bills of materials in
// .artifacts/images.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
  const bills = join(ROOT, '.artifacts/images');
  mkdirSync(bills, { recursive: true });
  run('bills', '--output', `type=local,dest=${bills}`);
} finally {
  rmSync(folder, { recursive: true });
}

function build(image: string): void {
  const name = `glorious-flywheel/${image}:${tag}`;
  run(image, '--tag', name);
  console.log(name);
}

function run(target: string, ...options: readonly string[]): void {
  const { BASE, TOFU } = process.env;
  const args = { VERSION: tag, REVISION: revision(), BASE, TOFU };
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  // prettier-ignore
  const words = ['build', '--build-context', `tree=${folder}`, '--target', target, ...options,
    '--file', join(ROOT, 'build/images/Containerfile'),
    ...given.map(([key, value]) => `--build-arg=${key}=${value}`), ROOT];
  execFileSync(builder ?? '', words, {
    stdio: ['ignore', 'inherit', 'inherit'],
    // What the images share is made once; the others do so by themselves.
    env: { ...process.env, BUILDAH_LAYERS: 'true' },
  });
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
