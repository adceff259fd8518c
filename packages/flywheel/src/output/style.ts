import { styleText } from 'node:util';
import type { CliContext, Terminal } from '../context.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Styler = (style: Style, text: string) => string;

/** Colours for `terminal` when it shows them and NO_COLOR does not forbid them; plain text else. */
export function createStyler(terminal: Terminal, env: CliContext['process']['env']): Styler {
  const coloured = (terminal.getColorDepth?.(env) ?? 1) >= 4;
  return coloured
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
}
