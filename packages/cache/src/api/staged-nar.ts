/** `nix copy` names a NAR after its compressed bytes: `<52 characters of base-32>.nar[.xz|…]`. */
const STAGED = /^([0-9abcdfghijklmnpqrsvwxyz]{52})\.nar(?:\.[a-z0-9]{1,8})?$/;

export function isStagedNarName(file: string): boolean {
  return STAGED.test(file);
}

/** The SHA-256 of the file that its name promises, in Nix's base-32. */
export function fileHashOf(file: string): string | undefined {
  return STAGED.exec(file)?.[1];
}
