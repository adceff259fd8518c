import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FlywheelError, toFlywheelError, type Clock } from '@flywheel/base';
import type { Authenticator } from './access/authenticator.ts';
import { writeSecretFile, type KeyFolder } from './access/key-folder.ts';
import { newTokenId, mintToken } from './access/mint.ts';
import { PERMISSIONS, type Permission } from './access/permissions.ts';
import type { TokenKey } from './access/token-key.ts';

/** Where the embedded server keeps things below its data directory. */
export interface DataDirectory {
  readonly root: string;
  readonly database: string;
  readonly lock: string;
  /** Which process serves this directory, and where. */
  readonly server: string;
  /** The first of the keys that sign tokens. */
  readonly tokenSecret: string;
  readonly tokenKeys: KeyFolder;
  readonly adminToken: string;
}

export function dataDirectory(root: string): DataDirectory {
  return {
    root,
    database: join(root, 'cache.db'),
    lock: join(root, 'lock.db'),
    server: join(root, 'server.json'),
    tokenSecret: join(root, 'keys', 'token-hs256.secret'),
    tokenKeys: { path: join(root, 'keys'), prefix: 'token-' },
    adminToken: join(root, 'keys', 'admin.token'),
  };
}

/** Creates the directory where missing. Throws with a hint when it cannot be written. */
export async function prepareDataDirectory(directory: DataDirectory): Promise<void> {
  const probe = join(directory.root, `.write-test-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(join(directory.root, 'keys'), { recursive: true, mode: 0o700 });
    await chmod(join(directory.root, 'keys'), 0o700);
    // Asking for permission says little (root, read-only mounts, full disks): try it.
    await writeFile(probe, randomBytes(4096));
  } catch (cause) {
    const error = toFlywheelError(cause, `write to the data directory ${directory.root}`);
    const hint =
      error.code === 'no-space'
        ? `free some space, or choose another directory with --data DIR`
        : `make it writable for this user, or choose another directory with --data DIR`;
    throw new FlywheelError(error.code, error.message, { cause, details: { hint } });
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
}

export interface ServerRecord {
  readonly pid: number;
  readonly url: string;
}

export async function readServerRecord(
  directory: DataDirectory,
): Promise<ServerRecord | undefined> {
  try {
    return JSON.parse(await readFile(directory.server, 'utf8')) as ServerRecord;
  } catch {
    return undefined;
  }
}

/**
 * Makes this process the only one that serves the directory. The lock is SQLite's on a file of its
 * own: the kernel drops it with the process, however that ends. Throws `conflict`.
 */
export async function lockDataDirectory(directory: DataDirectory): Promise<() => void> {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(directory.lock, { timeout: 0 });
    lock.exec('begin exclusive');
  } catch (cause) {
    lock?.close();
    const record = await readServerRecord(directory);
    const holder =
      record === undefined ? 'another process' : `process ${record.pid} at ${record.url}`;
    throw new FlywheelError('conflict', `${directory.root} is already served by ${holder}`, {
      cause,
      details: {
        hint: 'use that server, stop it first, or choose another directory with --data DIR',
      },
    });
  }
  const held = lock;
  return () => held.close();
}

/** Makes the first token key of this directory, unless it has any. */
export async function ensureTokenKey(directory: DataDirectory): Promise<void> {
  const { path, prefix } = directory.tokenKeys;
  if ((await readdir(path)).some((name) => name.startsWith(prefix))) return;
  await writeSecretFile(directory.tokenSecret, randomBytes(48).toString('base64'));
}

const ADMIN_TOKEN_SECONDS = 2 * 365 * 86_400;
const RENEW_BEFORE_SECONDS = 60 * 86_400;

/**
 * A token that may do everything, made on first use, and anew when it is about to expire, was
 * revoked, or its key is gone.
 */
export async function ensureAdminToken(
  directory: DataDirectory,
  signer: TokenKey,
  authenticator: Authenticator,
  clock: Clock,
): Promise<string> {
  const existing = await readSecret(directory.adminToken);
  if (existing !== undefined) {
    const claims = await authenticator.authenticate(`Bearer ${existing}`);
    const expiresAt = claims?.expiresAt ?? 0;
    if (expiresAt - clock.now() / 1000 > RENEW_BEFORE_SECONDS) return existing;
  }
  // The next second: all that were issued until this one may just have been revoked.
  const issuedAt = Math.floor(clock.now() / 1000) + 1;
  const token = await mintToken(signer, {
    id: newTokenId(),
    subject: 'admin',
    issuedAt,
    expiresAt: issuedAt + ADMIN_TOKEN_SECONDS,
    grants: [{ pattern: '*', permissions: new Set(Object.keys(PERMISSIONS) as Permission[]) }],
  });
  await writeSecretFile(directory.adminToken, token);
  return token;
}

async function readSecret(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const wrapped = toFlywheelError(error, `read ${path}`);
    if (wrapped.code === 'not-found') return undefined;
    throw wrapped;
  }
}
