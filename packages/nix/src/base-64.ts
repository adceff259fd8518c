/**
 * Padded standard base64, or undefined. `Buffer.from` skips what it does not know; here the text
 * has to be exactly what encoding its bytes gives, so that one value has one spelling.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
