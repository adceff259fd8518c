import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  collect,
  FlywheelError,
  isFlywheelError,
  messageOf,
  toFlywheelError,
} from '@flywheel/base';
import type { LockedManifest } from './lock-file.ts';

/** Release manifests have a few MB, most of it schemas. */
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

/** The bytes of a manifest, from the mirror where there is one, else from its project. */
export async function fetchManifest(
  { name, version, url }: LockedManifest,
  { mirror, signal }: { readonly mirror?: string; readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  const file = `${name}-${version}.yaml`;
  if (mirror === undefined) return await download(url, signal);
  if (/^https?:\/\//.test(mirror)) {
    return await download(`${mirror.replace(/\/+$/, '')}/${file}`, signal);
  }
  const path = join(mirror, file);
  try {
    return await readFile(path);
  } catch (cause) {
    const { code, message } = toFlywheelError(cause);
    throw new FlywheelError(code, `the mirror has no ${name} ${version}: ${message}`, {
      cause,
      details: { hint: `Put the file there: ${path}` },
    });
  }
}

async function download(url: string, signal?: AbortSignal): Promise<Uint8Array> {
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal === undefined ? [] : [signal])];
  let answer: Response;
  try {
    answer = await fetch(url, { signal: AbortSignal.any(signals) });
    if (answer.ok && answer.body !== null) {
      return await collect(answer.body, MAX_BYTES);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (isFlywheelError(cause)) throw cause;
    throw unavailable(url, reasonOf(cause), cause);
  }
  await answer.body?.cancel();
  throw unavailable(url, `status ${answer.status}`);
}

/** fetch says "fetch failed", and what failed in the cause. */
function reasonOf(error: unknown): string {
  const { cause } = Object(error) as { readonly cause?: unknown };
  return messageOf(cause instanceof Error ? cause : error);
}

function unavailable(url: string, reason: string, cause?: unknown): FlywheelError {
  return new FlywheelError('unavailable', `cannot fetch ${url}: ${reason}`, {
    cause,
    details: {
      hint:
        'Without network, name a folder or a URL that has it: --mirror, or FLYWHEEL_VENDOR_MIRROR.\n' +
        'Behind a proxy, set HTTPS_PROXY and NODE_USE_ENV_PROXY=1.',
    },
  });
}
