import { access } from 'node:fs/promises';
import { FlywheelError } from '@flywheel/base';
import { dataDirectory as pathsIn, loadTokenKey, mintToken } from '@flywheel/cache';
import type { Permission } from '@flywheel/cache';
import type { CliContext } from '../context.ts';
import { dataDirectory } from '../data-directory.ts';

export interface TokenFlags extends Readonly<Partial<Record<Permission, readonly string[]>>> {
  readonly sub: string;
  /** Milliseconds. */
  readonly validity: number;
  readonly dumpClaims?: boolean;
  readonly data?: string;
  readonly verbose?: boolean;
}

/** Mints a token with the key of the data directory; no server is asked. */
export async function runCacheToken(context: CliContext, flags: TokenFlags): Promise<void> {
  const paths = pathsIn(dataDirectory(context, flags.data));
  await requireKey(paths.tokenSecret, paths.root);
  const { pull, push, delete: remove, createCache } = flags;
  const { configureCache, configureCacheRetention, destroyCache } = flags;
  const given = {
    pull,
    push,
    delete: remove,
    createCache,
    configureCache,
    configureCacheRetention,
    destroyCache,
  };
  const patterns = Object.fromEntries(
    Object.entries(given).filter((entry) => entry[1] !== undefined),
  );
  const now = Math.floor(context.clock.now() / 1000);
  const token = await mintToken(await loadTokenKey(paths), {
    subject: flags.sub,
    notBefore: now,
    expiresAt: now + Math.floor(flags.validity / 1000),
    patterns,
  });
  context.process.stdout.write(`${flags.dumpClaims === true ? claimsIn(token) : token}\n`);
}

async function requireKey(path: string, root: string): Promise<void> {
  try {
    await access(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'EACCES' ? 'forbidden' : 'not-found';
    const why = code === 'forbidden' ? 'may not be read' : 'is not there';
    throw new FlywheelError(code, `the key that signs the tokens of ${root} ${why}: ${path}`, {
      cause,
      details: {
        hint: 'Run this as the user of the server, with its data directory: --data DIR.\nThe first ./flywheel up makes it.',
      },
    });
  }
}

/** The middle of a JWT: JSON in base64url. */
function claimsIn(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
}
