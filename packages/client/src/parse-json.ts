/** The value, or undefined where the text is no JSON: a schema then refuses both alike. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
