import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FlywheelError, messageOf, toFlywheelError } from '@flywheel/base';
import { parse } from 'yaml';
import { z } from 'zod';

/** A key of the organization with all keys above it, and the value it must have. */
const conditions = z.record(z.string(), z.union([z.string(), z.boolean(), z.number()]));

const declaration = z.strictObject({
  description: z.string().min(1),
  after: z.array(z.string()).default([]),
  manifests: z.record(z.string(), conditions).default({}),
});

/** What is planned and applied as one: a root module of OpenTofu with a state of its own. */
export interface Stack {
  readonly name: string;
  readonly folder: string;
  readonly description: string;
  /** Stacks that are applied before this one. */
  readonly after: readonly string[];
  /** Vendored manifests that it applies, each with what the organization must say for it. */
  readonly manifests: Readonly<Record<string, z.infer<typeof conditions>>>;
}

/**
 * The stacks below a folder: each is a folder with a stack.yaml. Throws `not-found` when there are
 * none, and `invalid-input` for what is wrong in a file.
 */
export async function readStacks(folder: string): Promise<readonly Stack[]> {
  const files = globSync('*/stack.yaml', { cwd: folder }).toSorted();
  if (files.length === 0) {
    throw new FlywheelError('not-found', `there are no stacks in ${folder}`, {
      details: { hint: 'A stack is a folder with a stack.yaml; --stacks says where they are.' },
    });
  }
  return Promise.all(files.map((file) => readStack(join(folder, file))));
}

async function readStack(file: string): Promise<Stack> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw toFlywheelError(error, `read ${file}`);
  });
  const read = declaration.safeParse(parseYaml(file, text));
  if (!read.success) throw wrong(file, z.prettifyError(read.error));
  return { name: basename(dirname(file)), folder: dirname(file), ...read.data };
}

function parseYaml(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw wrong(file, messageOf(error));
  }
}

function wrong(file: string, what: string): FlywheelError {
  return new FlywheelError('invalid-input', `${file} is no declaration of a stack`, {
    details: { hint: what },
  });
}

/** The names of the manifests that a stack applies for an organization. */
export function manifestsFor({ manifests }: Stack, organization: unknown): readonly string[] {
  return Object.entries(manifests).flatMap(([name, wanted]) => {
    const applies = Object.entries(wanted).every(
      ([key, value]) => valueAt(organization, key.split('.')) === value,
    );
    return applies ? [name] : [];
  });
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce(
    (inner, key) => (inner as Readonly<Record<string, unknown>> | undefined)?.[key],
    value,
  );
}
