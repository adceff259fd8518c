import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import type { StackSite } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';

/** The manifests that a stack applies, by name. Throws `not-found` for one that is nowhere. */
export async function findManifests(
  context: CliContext,
  { manifest: given = [] }: { readonly manifest?: readonly string[] },
  names: readonly string[],
): Promise<StackSite['manifests']> {
  const files = new Map(given.map(parseGiven));
  const found = names.map(async (name) => {
    const path = files.get(name);
    if (path === undefined) {
      throw new FlywheelError('not-found', `the manifest ${name} is not given`, {
        details: { hint: `Say where the published file is: --manifest ${name}=FILE` },
      });
    }
    const file = resolve(context.cwd, path);
    const bytes = await readFile(file).catch((error: unknown) => {
      throw toFlywheelError(error, `read the manifest ${name}`);
    });
    return [name, { file, sha256: createHash('sha256').update(bytes).digest('hex') }] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

function parseGiven(text: string): readonly [string, string] {
  const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name !== undefined && file !== undefined) return [name, file];
  throw new FlywheelError('invalid-input', `"${text}" is no NAME=FILE`);
}
