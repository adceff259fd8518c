import { allSettings, formatSettingPath, typeOf } from './settings.ts';
import type { Setting } from './settings.ts';

const HEAD = `<!-- Written by scripts/config-reference.ts from the schema. Not edited by hand. -->

# organization.yaml: every key

How the file is used, and how its layers are merged: [organization.yaml](organization.md).
\`./flywheel config explain KEY\` shows one key with its value and who says so.

\`NAME\` stands for a name that you choose, \`[]\` for an item of a list. A key is **required** in what
all layers say together.
`;

/** docs/configuration/reference.md: every key with its type, its default and what it is for. */
export function formatReference(): string {
  const sections = Map.groupBy(allSettings(), ({ path }) => path[0] ?? '');
  return HEAD + [...sections.values()].map(formatSection).join('');
}

function formatSection([top, ...settings]: readonly Setting[]): string {
  if (top === undefined) return '';
  const { path, schema } = top;
  const intro = `\n## ${path.join('.')}\n\n${schema.description ?? ''}.`;
  if (settings.length === 0) {
    return `${intro} ${[capital(typeOf(schema)), defaultOf(top)].filter(Boolean).join(', ')}.\n`;
  }
  // A heading and its text name a map; only what can be set is in the table.
  const rows = settings.filter(({ schema: { properties } }) => properties === undefined);
  const table = [
    '| Key | Type | Default | What |',
    '| --- | --- | --- | --- |',
    ...rows.map((setting) => {
      const { path: key, schema: about } = setting;
      const cells = [
        `\`${formatSettingPath(key)}\``,
        describeType(setting),
        defaultOf(setting),
        about.description ?? '',
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    }),
  ];
  return `${intro}\n\n${table.join('\n')}\n`;
}

function describeType({ schema }: Setting): string {
  const type = typeOf(schema);
  return schema.mergeKey === undefined ? type : `${type}, merged by \`${schema.mergeKey}\``;
}

function defaultOf({ schema, required }: Setting): string {
  if (required) return '**required**';
  return schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
