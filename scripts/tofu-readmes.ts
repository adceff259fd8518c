// Writes the tables of inputs and outputs into the README of each OpenTofu module, from what the
// module declares. The docs suite holds the pages to it.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readDeclarations } from './hcl-declarations.ts';
import type { Declaration } from './hcl-declarations.ts';

const ROOT = join(import.meta.dirname, '..');

const MARK = '<!-- Below: written by scripts/tofu-readmes.ts. Not edited by hand. -->';

/** A page as it is, and as it has to be. */
export interface ModuleReadme {
  readonly path: string;
  readonly actual: string;
  readonly expected: string;
}

export async function moduleReadmes(): Promise<readonly ModuleReadme[]> {
  const folders = globSync('tofu/modules/*/variables.tf', { cwd: ROOT }).map((file) =>
    dirname(file),
  );
  return Promise.all(folders.toSorted().map((folder) => moduleReadme(folder)));
}

async function moduleReadme(folder: string): Promise<ModuleReadme> {
  const path = join(folder, 'README.md');
  const actual = readFileSync(join(ROOT, path), 'utf8');
  const [byHand = ''] = actual.split(MARK);
  const read = (file: string): string => readFileSync(join(ROOT, folder, file), 'utf8');
  const inputs = readDeclarations(read('variables.tf'), 'variable');
  const outputs = readDeclarations(read('outputs.tf'), 'output');
  const text = `${byHand.trimEnd()}\n\n${MARK}\n\n${inputSection(inputs)}\n${outputSection(outputs)}`;
  const options = await resolveConfig(join(ROOT, path));
  return { path, actual, expected: await format(text, { ...options, parser: 'markdown' }) };
}

function inputSection(inputs: readonly Declaration[]): string {
  const rows = inputs.map(({ name, description, type = 'any', default: value }) =>
    row([`\`${name}\``, typeCell(name, type), defaultCell(name, value), description]),
  );
  const details = inputs.filter(
    ({ type, default: value }) => isLong(type) || (value !== undefined && isLong(value)),
  );
  const blocks = details.map(({ name, type = 'any', default: value }) => {
    const shown = [
      isLong(type) ? type : undefined,
      isLong(value) ? `default = ${value}` : undefined,
    ];
    const code = shown.filter((text) => text !== undefined).join('\n');
    return `### ${name}\n\n\`\`\`hcl\n${code}\n\`\`\`\n`;
  });
  return [
    '## Inputs\n',
    row(['Name', 'Type', 'Default', 'What']),
    row(['-', '-', '-', '-']),
    ...rows,
  ]
    .concat('', ...blocks)
    .join('\n');
}

function outputSection(outputs: readonly Declaration[]): string {
  const rows = outputs.map(({ name, description }) => row([`\`${name}\``, description]));
  return ['## Outputs\n', row(['Name', 'What']), row(['-', '-']), ...rows, ''].join('\n');
}

function typeCell(name: string, type: string): string {
  return isLong(type) ? `[${type.slice(0, type.indexOf('('))}](#${name})` : `\`${type}\``;
}

function defaultCell(name: string, value: string | undefined): string {
  if (value === undefined) return '**required**';
  return isLong(value) ? `[below](#${name})` : `\`${value}\``;
}

function isLong(text: string | undefined): boolean {
  return text?.includes('\n') === true;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

if (import.meta.main) {
  for (const { path, actual, expected } of await moduleReadmes()) {
    if (actual === expected) continue;
    writeFileSync(join(ROOT, path), expected);
    console.log(`${basename(dirname(path))}: written`);
  }
}
