# `bin/flywheel` over the sources. There is nothing to compile, and without nixpkgs no builder that
# is the same on every machine but those inside Nix: this one, by which `nix profile` makes its
# links, lays out a folder of links. Hence the manifest.nix in it, which stays empty.
#
# The packages of the lock file are not part of it: the launcher installs them at its first start,
# with the system's npm, into the user's cache folder.
let
  source = import ./source.nix;
  version = (builtins.fromJSON (builtins.readFile ../package.json)).version;
in
derivation {
  name = "flywheel-${version}";
  system = "builtin";
  builder = "builtin:buildenv";
  manifest = builtins.toFile "manifest.nix" "[ ]\n";
  # Active, priority, number of outputs, outputs.
  derivations = [ "true" "5" "1" "${source}/nix/profile" ];
  # It is built sooner than a cache is asked for it, and without a network much sooner.
  preferLocalBuild = true;
  allowSubstitutes = false;
}
