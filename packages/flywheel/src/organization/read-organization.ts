import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import { formatIssue, loadOrganization } from '@flywheel/organization';
import type { Issue, Loaded, Merged, Source } from '@flywheel/organization';
import type { CliContext } from '../context.ts';

const USUAL_PLACE = 'config/organization.yaml';
const EXAMPLE = 'config/organization.example.yaml';
/** It lies with the sources, so that an installed flywheel has it, too. */
const UPSTREAM = '@flywheel/organization/upstream.yaml';

/** Which files a command reads. */
export interface FileFlags {
  readonly file?: string;
  readonly upstream?: string;
}

export interface OrganizationFile extends Loaded {
  /** As messages name it. */
  readonly file: string;
}

/**
 * Reads organization.yaml over the layer that comes with flywheel. What is wrong in them is in
 * `issues`. Throws `not-found` when there is no file.
 */
export async function readOrganization(
  context: CliContext,
  flags: FileFlags,
): Promise<OrganizationFile> {
  const path = organizationPath(context, flags);
  const upstream =
    flags.upstream === undefined
      ? createRequire(import.meta.url).resolve(UPSTREAM)
      : resolve(context.cwd, flags.upstream);
  const sources = await Promise.all([
    readSource(context, upstream, 'upstream'),
    readSource(context, path, 'organization'),
  ]);
  return { file: nameOf(context, path), ...loadOrganization(sources) };
}

/** Where organization.yaml is: as told, else below the working directory, else in the checkout. */
export function organizationPath(context: CliContext, { file }: FileFlags): string {
  if (file !== undefined) return resolve(context.cwd, file);
  const here = join(context.cwd, USUAL_PLACE);
  return existsSync(here) ? here : join(context.root, USUAL_PLACE);
}

/** As it is best named in messages: short, and good to paste. */
export function nameOf(context: CliContext, path: string): string {
  const name = relative(context.cwd, path);
  return name.startsWith('..') || isAbsolute(name) ? path : name;
}

/**
 * The valid organization, in one environment or without what is different in them. Throws
 * `invalid-input` with all mistakes, and `not-found` for an environment that is not there.
 */
export function validOrganization(
  { file, issues, base, environments }: OrganizationFile,
  environment?: string,
): Merged {
  if (issues.length > 0 || base === undefined) throw mistakes(file, issues);
  if (environment === undefined) return base;
  const merged = environments.get(environment);
  if (merged !== undefined) return merged;
  const names = [...environments.keys()].join(', ');
  throw new FlywheelError('not-found', `${file} has no environment "${environment}"`, {
    details: { hint: `There are: ${names}.` },
  });
}

export function countMistakes(count: number): string {
  return count === 1 ? '1 mistake' : `${count} mistakes`;
}

function mistakes(file: string, issues: readonly Issue[]): FlywheelError {
  return new FlywheelError('invalid-input', `${file} has ${countMistakes(issues.length)}`, {
    details: { hint: issues.map((issue) => formatIssue(issue)).join('\n\n') },
  });
}

async function readSource(
  context: CliContext,
  path: string,
  layer: Source['layer'],
): Promise<Source> {
  const file = nameOf(context, path);
  return { file, layer, text: await readConfigFile(context, path) };
}

/** The text of a file of the configuration. Throws `not-found` with how to make one. */
export async function readConfigFile(context: CliContext, path: string): Promise<string> {
  const name = nameOf(context, path);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = toFlywheelError(error);
    if (code !== 'not-found') throw toFlywheelError(error, `read ${name}`);
    throw new FlywheelError('not-found', `there is no ${name}`, {
      cause: error,
      details: {
        hint: path.endsWith(USUAL_PLACE)
          ? `Begin with the example: cp ${nameOf(context, join(context.root, EXAMPLE))} ${USUAL_PLACE}`
          : '--file says which file to read.',
      },
    });
  }
}
