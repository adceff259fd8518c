/** The long part of a command's --help: what it does, then lines to copy. */
export function describe(
  text: string,
  examples: readonly (readonly [command: string, effect: string])[],
): string {
  const width = Math.max(...examples.map(([command]) => command.length));
  const lines = examples.map(([command, effect]) => `  ${command.padEnd(width)}  ${effect}`);
  return `${text.trim()}\n\nEXAMPLES\n${lines.join('\n')}`;
}
