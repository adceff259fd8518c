/** What a launcher answers where this machine cannot have an engine: the reason a test skips with. */
export interface Missing {
  readonly missing: string;
}

export function isMissing(found: object): found is Missing {
  return 'missing' in found;
}
