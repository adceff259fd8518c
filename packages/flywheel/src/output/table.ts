import { stripVTControlCharacters } from 'node:util';

/** Rows as aligned columns, two spaces apart. Styled cells are measured without their colour codes. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, width(cell));
    }
  }
  return rows.map((row) => formatRow(row, widths)).join('\n');
}

function formatRow(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)));
  return cells.join('  ').trimEnd();
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
