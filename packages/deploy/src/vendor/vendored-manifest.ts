import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError, isFlywheelError, toFlywheelError } from '@flywheel/base';
import { fetchManifest } from './fetch-manifest.ts';
import type { LockedManifest } from './lock-file.ts';

export interface VendorOptions {
  readonly manifests: readonly LockedManifest[];
  /** How messages name the lock file. */
  readonly lockFile: string;
  /** Where what was fetched stays, such as ~/.cache/flywheel/vendor. */
  readonly cacheFolder: string;
  /** A folder or an http(s) URL with files NAME-VERSION.yaml, asked in place of the projects. */
  readonly mirror?: string;
  readonly signal?: AbortSignal;
}

/** A manifest on this machine, with the digest that was reviewed: what tofu takes. */
export interface VendoredManifest {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
}

/**
 * A pinned manifest, fetched unless it is there. Every call looks at the digest. Throws `not-found`
 * for a name that is not in the lock file, `conflict` where no digest has been recorded, `corrupt`
 * when what was published is not what was reviewed, `unavailable` when nobody has it.
 */
export async function vendoredManifest(
  name: string,
  options: VendorOptions,
): Promise<VendoredManifest> {
  const locked = lockedManifest(name, options);
  const { version, sha256 } = locked;
  if (sha256 === undefined) throw unpinned(name, version, options.lockFile);
  const file = vendoredFile(locked, options.cacheFolder);
  const result = { name, version, file, sha256 };
  if ((await cachedDigest(file)) === sha256) return result;
  // Absent, or changed on this disk: what is fetched replaces it.
  const bytes = await fetchManifest(locked, options);
  const found = digestOf(bytes);
  if (found !== sha256) throw changed(result, found, options);
  await writeAtomically(file, bytes);
  return result;
}

/** What is published for a version now, which is kept in the cache folder, and its digest. */
export async function fetchForPin(
  name: string,
  options: VendorOptions,
): Promise<VendoredManifest & { readonly bytes: Uint8Array }> {
  const locked = lockedManifest(name, options);
  const bytes = await fetchManifest(locked, options);
  if (!/^kind:/m.test(new TextDecoder().decode(bytes))) {
    throw new FlywheelError('corrupt', `what is published as ${name} is no manifest`, {
      details: { hint: `It has no line that begins with "kind:". Look at it: ${locked.url}` },
    });
  }
  const file = vendoredFile(locked, options.cacheFolder);
  await writeAtomically(file, bytes);
  return { name, version: locked.version, file, sha256: digestOf(bytes), bytes };
}

/** The digest of the file in the cache folder; undefined when there is none. */
export async function cachedDigest(file: string): Promise<string | undefined> {
  try {
    return digestOf(await readFile(file));
  } catch (error) {
    if (isFlywheelError(toFlywheelError(error), 'not-found')) return undefined;
    throw toFlywheelError(error, `read ${file}`);
  }
}

export function vendoredFile(
  { name, version }: Pick<LockedManifest, 'name' | 'version'>,
  cacheFolder: string,
): string {
  return join(cacheFolder, `${name}-${version}.yaml`);
}

function lockedManifest(name: string, { manifests, lockFile }: VendorOptions): LockedManifest {
  const found = manifests.find((manifest) => manifest.name === name);
  if (found !== undefined) return found;
  const names = manifests.map((manifest) => manifest.name).join(', ');
  throw new FlywheelError('not-found', `${lockFile} has no manifest "${name}"`, {
    details: { hint: `There are: ${names || 'none'}.` },
  });
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function writeAtomically(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw toFlywheelError(error, `write ${file}`);
  }
}

function unpinned(name: string, version: string, lockFile: string): FlywheelError {
  return new FlywheelError('conflict', `${lockFile} has no digest of ${name} ${version}`, {
    details: {
      hint:
        `Record it on a machine with network, read what it is, and commit it:\n` +
        `./flywheel vendor pin ${name}`,
    },
  });
}

function changed(
  { name, version, sha256 }: VendoredManifest,
  found: string,
  { lockFile, mirror }: VendorOptions,
): FlywheelError {
  const where = mirror === undefined ? 'What is published' : `What ${mirror} has`;
  return new FlywheelError('corrupt', `${name} ${version} is not what was reviewed`, {
    details: {
      hint: [
        `${lockFile}: ${sha256}`,
        `found:${' '.repeat(Math.max(1, lockFile.length - 4))}${found}`,
        `${where} has changed, or the version was bumped without its digest. Nothing was kept.`,
        `After reading what has changed: ./flywheel vendor pin ${name}`,
      ].join('\n'),
    },
  });
}
