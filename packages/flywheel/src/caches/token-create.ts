import { access } from 'node:fs/promises';
import { FlywheelError, isFlywheelError } from '@flywheel/base';
import {
  dataDirectory as pathsIn,
  formatGrants,
  grantsOf,
  KeyRing,
  mintToken,
  newTokenId,
  readKeyFolder,
  tokenClaims,
} from '@flywheel/cache';
import type { Permission } from '@flywheel/cache';
import type { CliContext } from '../context.ts';
import { dataDirectory } from '../data-directory.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { Server, ServerFlags } from './find-server.ts';
import { createToken } from './identity-api.ts';

export interface TokenCreateFlags
  extends ServerFlags, OutputFlags, Readonly<Partial<Record<Permission, readonly string[]>>> {
  readonly sub: string;
  /** Milliseconds. */
  readonly validity: number;
  readonly mayMint?: boolean;
  readonly requestsPerSecond?: number;
  /** Bytes. */
  readonly uploadPerSecond?: number;
  readonly offline?: boolean;
  readonly dumpClaims?: boolean;
}

/**
 * Has the server make a token, which then knows of it; where no server is named and none runs, signs
 * with the key of the data directory.
 */
export async function runTokenCreate(context: CliContext, flags: TokenCreateFlags): Promise<void> {
  const output = createOutput(context, flags);
  const issuedAt = Math.floor(context.clock.now() / 1000);
  const request = {
    subject: flags.sub,
    issuedAt,
    expiresAt: issuedAt + Math.floor(flags.validity / 1000),
    grants: grantsOf(patternsOf(flags)),
    mayMint: flags.mayMint === true,
    limits: {
      requestsPerSecond: flags.requestsPerSecond,
      uploadBytesPerSecond: flags.uploadPerSecond,
    },
  };
  // Before anybody is asked: a request that makes no sense is the caller's mistake.
  const claims = tokenClaims(request);
  if (flags.dumpClaims === true) {
    context.process.stdout.write(`${JSON.stringify(claims)}\n`);
    return;
  }
  const server = flags.offline === true ? undefined : await runningServer(context, flags);
  if (server === undefined) {
    const id = newTokenId();
    const token = await mintToken(await signer(context, flags), { id, ...request });
    if (flags.offline !== true) output.note('No server runs here: the token is in no list.');
    print(output, token, { token, id, subject: flags.sub });
    return;
  }
  const created = await createToken(
    server,
    {
      subject: flags.sub,
      validity_seconds: Math.floor(flags.validity / 1000),
      grants: formatGrants(request.grants),
      may_mint: request.mayMint,
      requests_per_second: flags.requestsPerSecond,
      upload_bytes_per_second: flags.uploadPerSecond,
    },
    context.signal,
  );
  print(output, created.token, created);
}

/** The token alone on stdout, to be put into a file or a variable. */
function print(output: ReturnType<typeof createOutput>, token: string, result: unknown): void {
  output.print(token);
  output.result(result);
}

function patternsOf(flags: TokenCreateFlags) {
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
  return Object.fromEntries(Object.entries(given).filter((entry) => entry[1] !== undefined));
}

async function runningServer(context: CliContext, flags: ServerFlags): Promise<Server | undefined> {
  try {
    return await findServer(context, flags);
  } catch (error) {
    if (isFlywheelError(error, 'not-found') && flags.tokenFile === undefined) return undefined;
    throw error;
  }
}

async function signer(context: CliContext, flags: ServerFlags) {
  const paths = pathsIn(dataDirectory(context, flags.data));
  await requireKeys(paths.tokenKeys.path, paths.root);
  const files = await readKeyFolder(paths.tokenKeys);
  return new KeyRing(files.map(({ key }) => key)).signer;
}

async function requireKeys(path: string, root: string): Promise<void> {
  try {
    await access(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'EACCES' ? 'forbidden' : 'not-found';
    const why = code === 'forbidden' ? 'may not be read' : 'are not there';
    throw new FlywheelError(code, `the keys that sign the tokens of ${root} ${why}: ${path}`, {
      cause,
      details: {
        hint: 'Run this as the user of the server, with its data directory: --data DIR.\nThe first ./flywheel up makes it.',
      },
    });
  }
}
