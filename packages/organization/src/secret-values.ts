// What must not stand in a file that is committed. The patterns are those that the issuers
// document for scanners, so that ordinary words are not taken for secrets.

const SECRETS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g],
  [
    'a token of GitLab',
    /\b(?:glpat|gldt|glrt|glrtr|glcbt|glptt|glft|glsoat|gloas|GR1348941)-[\w.-]{16,}/g,
  ],
  ['a token of GitHub', /\b(?:gh[pousr]_\w{30,}|github_pat_\w{30,})/g],
  ['an access key of AWS', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['a JSON Web Token', /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/g],
  ['a URL with a password', /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@'"]*:[^\s/@'"]+@/gi],
  ['a secret key of Nix', /\b[\w.-]+:[A-Za-z0-9+/]{86}==/g],
  ['a secret key of age', /\bAGE-SECRET-KEY-1[0-9A-Z]{20,}/gi],
  ['a token of Slack', /\bxox[abprs]-[\w-]{10,}/g],
];

/** What kind of secret `text` holds, as in "a token of GitLab"; undefined when it holds none. */
export function secretIn(text: string): string | undefined {
  return SECRETS.find(([, pattern]) => text.search(pattern) >= 0)?.[0];
}

/** The text with a dot for each character of a secret, so that lines and columns stay. */
export function maskSecrets(text: string): string {
  return SECRETS.reduce(
    (masked, [, pattern]) =>
      masked.replaceAll(pattern, (secret) => secret.replaceAll(/[^\r\n]/g, '•')),
    text,
  );
}
