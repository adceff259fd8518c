/** What makes Nix use a cache: two lines of nix.conf. */
export function nixConfLines(substituter: string, publicKey: string): readonly [string, string] {
  return [`extra-substituters = ${substituter}`, `extra-trusted-public-keys = ${publicKey}`];
}
