/** A variable or an output of a module, as its file declares it. */
export interface Declaration {
  readonly name: string;
  readonly description: string;
  /** The expressions as they are written; undefined when there is none. */
  readonly type: string | undefined;
  readonly default: string | undefined;
}

/**
 * The blocks `keyword "NAME" { … }` of a file that `tofu fmt` has formatted: a line scanner, no
 * parser. A block ends with a brace in the first column, an argument begins two columns in.
 */
export function readDeclarations(
  text: string,
  keyword: 'variable' | 'output',
): readonly Declaration[] {
  const blocks = text.matchAll(new RegExp(`^${keyword} "(\\w+)" \\{\\n([\\s\\S]*?)^\\}$`, 'gm'));
  return [...blocks].map(([, name = '', body = '']) => {
    const values = argumentsOf(body);
    return {
      name,
      description: unquote(values.get('description') ?? ''),
      type: values.get('type'),
      default: values.get('default'),
    };
  });
}

function argumentsOf(body: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let current: string | undefined;
  for (const line of body.split('\n')) {
    const [, name, value = ''] = /^ {2}(\w+)\s+= (.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      current = name;
      values.set(name, value);
    } else if (/^ {2}(?:\w+(?: "\w+")? \{|#.*)$/.test(line) || line.trim() === '') {
      // A nested block, such as a validation, and a comment are nobody's value.
      current = undefined;
    } else if (current !== undefined) {
      values.set(current, `${values.get(current) ?? ''}\n${line.slice(2)}`);
    }
  }
  return values;
}

/** Strings of HCL without templates are those of JSON. */
function unquote(text: string): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}
