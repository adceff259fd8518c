import { globSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** The folder with all modules. */
export const MODULES = resolve(import.meta.dirname, '../../tofu/modules');

/** The names of the modules. */
export const MODULE_NAMES = globSync('*/versions.tf', { cwd: MODULES })
  .map((file) => dirname(file))
  .toSorted();

/** The examples of a module: files with values for its variables. */
export function examplesOf(module: string): readonly string[] {
  return globSync('*.tfvars', { cwd: join(MODULES, module, 'examples') })
    .map((file) => basename(file))
    .toSorted();
}
