import { parseDocument } from 'yaml';

/** Values in organization.yaml, by their path with dots between. What is undefined is taken out. */
export type Keys = Readonly<Record<string, unknown>>;

/** The text with other values in it, and else as it was. */
export function withKeys(text: string, keys: Keys): string {
  const document = parseDocument(text);
  for (const [key, value] of Object.entries(keys)) {
    if (value === undefined) document.deleteIn(key.split('.'));
    else document.setIn(key.split('.'), value);
  }
  return document.toString();
}
