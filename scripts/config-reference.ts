// Writes what is generated of the schema of organization.yaml: the JSON Schema for editors and the
// reference in docs/. The docs suite holds both to it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatEditorSchema, formatReference } from '../packages/organization/src/index.ts';
import { format } from 'prettier';

const ROOT = join(import.meta.dirname, '..');

/** Each generated file with what has to be in it. */
export async function renderConfigReference(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['config/organization.schema.json', formatEditorSchema()],
    [
      'docs/configuration/reference.md',
      await format(formatReference(), { parser: 'markdown', printWidth: 100 }),
    ],
  ]);
}

/** What is in it. */
export function readConfigReference(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

if (import.meta.main) {
  for (const [path, text] of await renderConfigReference()) writeFileSync(join(ROOT, path), text);
}
