import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from './child.ts';
import { machineMirror } from './debian-packages.ts';
import { buildOnce, enginesFolder } from './engine-folder.ts';
import type { Missing } from './missing.ts';

const RELEASE = 'bookworm';
/** What a Node of the npm registry needs of a system, and certificates. */
const PACKAGES = ['ca-certificates', 'libatomic1', 'libstdc++6'];
const UNUSED = [
  'usr/share/doc',
  'usr/share/locale',
  'usr/share/man',
  'var/cache/apt',
  'var/lib/apt/lists',
];
const PROGRAMS = {
  '/usr/bin/buildah': 'buildah',
  '/usr/sbin/debootstrap': 'debootstrap',
};
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root' };

export interface ImageBuild {
  readonly containerfile: string;
  readonly context: string;
  readonly name: string;
  /** Which of its stages, where it is not the last. */
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Folders in place of stages or images, by name. */
  readonly contexts?: Readonly<Record<string, string>>;
}

/** buildah without a daemon and without a registry, with storage of its own. */
export interface ImageBuilder extends AsyncDisposable {
  /** The name of an image with a small Debian. */
  readonly base: string;
  build(image: ImageBuild): Promise<void>;
  /** Writes all that was built to an archive in the layout of OCI, what they share once. */
  save(archive: string): Promise<void>;
}

/** Needs root, buildah and debootstrap. Debian is fetched on first use (a minute) and kept. */
export async function startImageBuilder(): Promise<ImageBuilder | Missing> {
  if (process.getuid?.() !== 0) return { missing: 'not root, which building an image needs' };
  for (const [program, debian] of Object.entries(PROGRAMS)) {
    const there = await access(program).then(
      () => true,
      () => false,
    );
    if (!there) return { missing: `no ${program}; Debian's package is ${debian}` };
  }
  const system = await debianArchive();
  const folder = await mkdtemp(join(tmpdir(), 'images-'));
  const base = 'localhost/debian:test';
  const layout = join(folder, 'layout');
  const buildah = (args: readonly string[]): Promise<string> => {
    // prettier-ignore
    const storage = ['--storage-driver', 'overlay', '--root', join(folder, 'images'),
      '--runroot', join(folder, 'run')];
    return mustRun(['buildah', ...storage, ...args]);
  };
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const container = await buildah(['from', 'scratch']);
    await buildah(['add', '--quiet', container, system, '/']);
    await buildah(['commit', '--quiet', '--rm', container, base]);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    base,
    async build({ containerfile, context, name, target, args = {}, contexts = {} }) {
      const options = [
        ...(target === undefined ? [] : [`--target=${target}`]),
        ...Object.entries(args).map(([key, value]) => `--build-arg=${key}=${value}`),
        ...Object.entries(contexts).map(([key, path]) => `--build-context=${key}=${path}`),
      ];
      // prettier-ignore
      await buildah(['build', '--quiet', '--isolation', 'chroot', '--pull-never', '--layers', ...options,
        '--tag', name, '--file', containerfile, context]);
      await buildah([
        'push',
        '--quiet',
        '--compression-format',
        'zstd',
        name,
        `oci:${layout}:${name}`,
      ]);
    },
    async save(archive) {
      await nameImages(join(layout, 'index.json'));
      await mustRun(['tar', '-C', layout, '-cf', archive, '.']);
    },
    [Symbol.asyncDispose]: remove,
  };
}

/** buildah notes a name as that of a tag, containerd asks for that of an image. */
async function nameImages(index: string): Promise<void> {
  const text = await readFile(index, 'utf8');
  const { manifests, ...rest } = JSON.parse(text) as {
    readonly manifests: readonly { readonly annotations: Readonly<Record<string, string>> }[];
  };
  const named = manifests.map((manifest) => ({
    ...manifest,
    annotations: {
      ...manifest.annotations,
      'io.containerd.image.name': manifest.annotations['org.opencontainers.image.ref.name'],
    },
  }));
  await writeFile(index, JSON.stringify({ ...rest, manifests: named }));
}

async function debianArchive(): Promise<string> {
  const folder = join(enginesFolder(), `debian-image-${RELEASE}-${process.arch}`);
  const archive = 'system.tar';
  await buildOnce(folder, async (draft) => {
    const system = join(draft, 'system');
    // prettier-ignore
    await mustRun(['debootstrap', '--variant=minbase', `--include=${PACKAGES.join(',')}`,
      RELEASE, system, await machineMirror()]);
    const leftOut = UNUSED.map((path) => `--exclude=./${path}`);
    // prettier-ignore
    await mustRun(['tar', '--numeric-owner', ...leftOut, '-C', system, '-cf', join(draft, archive), '.']);
    await rm(system, { recursive: true });
  });
  return join(folder, archive);
}

async function mustRun(command: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runChild(command, { env: ENV, timeoutMs: 900_000 });
  if (status === 0) return stdout.trim();
  const said = `${stdout}${stderr}`.trim().slice(-2000);
  throw new FlywheelError('unavailable', `${command.join(' ')}: ${said}`);
}
