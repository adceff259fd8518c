import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { encodeNar, makeStorePath, parseStorePath } from '@flywheel/nix';
import type { NarNode } from '@flywheel/nix';
import { sampleFolders } from './machine-files.ts';
import type { SourceFile, SourceFolder } from './machine-files.ts';
import { Seeded } from './seeded.ts';

/** A store path with its NAR in a file, ready to be pushed. */
export interface PreparedNar {
  readonly storePath: string;
  /** The 32 characters. */
  readonly hash: string;
  /** Base names. */
  readonly references: readonly string[];
  readonly narFile: string;
  /** In hexadecimal. */
  readonly narHash: string;
  readonly narSize: number;
}

export interface Workload {
  /** The same packages before and after a change; a path that did not change is in both. */
  readonly first: readonly PreparedNar[];
  readonly second: readonly PreparedNar[];
  readonly files: number;
}

export interface WorkloadOptions {
  readonly seed: number;
  readonly paths: number;
  readonly bytes: number;
  /** How many of the files differ in the second version, from 0 to 1. */
  readonly changed: number;
}

/**
 * A closure of realistic packages made from this machine's own files, in two versions.
 *
 * Whole folders are sampled and dealt to packages, the early packages getting more than the late
 * ones, so that sizes spread over four orders of magnitude as they do in a real store. Each package
 * refers to up to five earlier ones. In the second version, the seed picks the files that change:
 * up to 200 bytes are inserted somewhere, and 32 bytes are overwritten in three places, which is
 * what an edit and new store paths inside a file look like.
 */
export async function makeWorkload(folder: string, options: WorkloadOptions): Promise<Workload> {
  const sampled = await sampleFolders({ bytes: options.bytes, seed: options.seed });
  const packages = deal(sampled, options);
  await mkdir(folder, { recursive: true });
  const versions: PreparedNar[][] = [];
  for (const share of [0, options.changed]) {
    const nars: PreparedNar[] = [];
    const random = new Seeded(options.seed + 1);
    for (const folders of packages) {
      nars.push(await prepare(folder, folders, nars, { random, share }));
    }
    versions.push(nars);
  }
  const [first = [], second = []] = versions;
  const files = sampled.reduce((sum, { files }) => sum + files.length, 0);
  return { first, second, files };
}

function deal(sampled: readonly SourceFolder[], options: WorkloadOptions): SourceFolder[][] {
  const random = new Seeded(options.seed + 2);
  const packages = Array.from({ length: options.paths }, (): SourceFolder[] => []);
  sampled.forEach((folder, index) => {
    // One for each at first; then the square favours the early ones.
    const chosen = index < packages.length ? index : random.next() ** 2 * packages.length;
    packages[Math.floor(chosen)]?.push(folder);
  });
  return packages;
}

async function prepare(
  folder: string,
  folders: readonly SourceFolder[],
  earlier: readonly PreparedNar[],
  change: { readonly random: Seeded; readonly share: number },
): Promise<PreparedNar> {
  const index = earlier.length;
  // Decided beforehand, the same for both versions, so that only the share differs between them.
  const changes = new Map<SourceFile, Seeded>();
  for (const file of folders.flatMap(({ files }) => files)) {
    const seed = change.random.below(2 ** 32);
    if (change.random.next() < change.share) changes.set(file, new Seeded(seed));
  }
  const draft = join(folder, `draft-${index}`);
  const digest = createHash('sha256');
  let narSize = 0;
  await pipeline(
    encodeNar(packageNode(folders, changes)),
    async function* (pieces) {
      for await (const piece of pieces) {
        digest.update(piece);
        narSize += piece.length;
        yield piece;
      }
    },
    createWriteStream(draft),
  );
  const innerHash = digest.digest();
  const storePath = makeStorePath({ type: 'output:out', innerHash, name: `package-${index}` });
  const narHash = innerHash.toString('hex');
  const narFile = join(folder, `${narHash}.nar`);
  await rename(draft, narFile);
  const references = new Set<string>();
  const random = new Seeded(index);
  for (let i = random.below(6); i > 0 && earlier.length > 0; i -= 1) {
    const reference = earlier[random.below(earlier.length)];
    if (reference) references.add(parseStorePath(reference.storePath).baseName);
  }
  return {
    storePath,
    hash: parseStorePath(storePath).hash,
    references: [...references].sort(),
    narFile,
    narHash,
    narSize,
  };
}

function packageNode(
  folders: readonly SourceFolder[],
  changes: ReadonlyMap<SourceFile, Seeded>,
): NarNode {
  const width = String(folders.length).length;
  return {
    type: 'directory',
    entries: () =>
      folders.map(({ files }, index) => [
        String(index).padStart(width, '0'),
        { type: 'directory', entries: () => fileEntries(files, changes) },
      ]),
  };
}

function* fileEntries(
  files: readonly SourceFile[],
  changes: ReadonlyMap<SourceFile, Seeded>,
): Generator<readonly [string, NarNode]> {
  for (const file of files) {
    // Synchronous: of 40,000 small files, asynchronous reads would take twice as long.
    const original = readFileSync(file.path);
    const random = changes.get(file);
    const contents = random === undefined ? original : changeBytes(original, random);
    yield [
      file.name,
      {
        type: 'regular',
        executable: file.executable,
        size: contents.length,
        contents: () => [contents],
      },
    ];
  }
}

function changeBytes(original: Buffer, random: Seeded): Buffer {
  const noise = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => random.below(256)));
  const at = random.below(original.length + 1);
  const inserted = noise(1 + random.below(200));
  const changed = Buffer.concat([original.subarray(0, at), inserted, original.subarray(at)]);
  for (let i = 0; i < 3; i += 1) noise(32).copy(changed, random.below(changed.length));
  return changed;
}
