/** Far above any real token; a longer one would only cost CPU to reject. */
const MAX_TOKEN_CHARACTERS = 16_384;
/** Basic wraps it in base64, with a user name. */
const MAX_HEADER_CHARACTERS = 24_576;

/**
 * The JWT in `Bearer <jwt>` or in the password of `Basic base64(user:jwt)`; the scheme in any case,
 * exactly one space. Nix sends Basic from a netrc that has no login. Undefined: there is none.
 */
export function tokenOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > MAX_HEADER_CHARACTERS) return undefined;
  const match = /^(bearer|basic) (\S+)$/i.exec(authorization);
  if (match === null) return undefined;
  const [, scheme = '', rest = ''] = match;
  const token = scheme.toLowerCase() === 'bearer' ? rest : passwordOf(rest);
  return token === undefined || token.length > MAX_TOKEN_CHARACTERS ? undefined : token;
}

function passwordOf(basic: string): string | undefined {
  const decoded = Buffer.from(basic, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon === -1 ? undefined : decoded.slice(colon + 1);
}
