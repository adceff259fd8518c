{
  description = "Self-deploying infrastructure for GitLab that builds, caches and monitors itself";

  # Without inputs: it evaluates offline and builds in a second. What is here only lists; the
  # packages are in nix/.
  outputs =
    { self }:
    let
      package = import ./nix/package.nix;
      forEachSystem =
        make:
        builtins.listToAttrs (
          map (name: { inherit name; value = make name; }) [
            "x86_64-linux"
            "aarch64-linux"
            "aarch64-darwin"
          ]
        );
    in
    {
      packages = forEachSystem (system: { default = package; });
      apps = forEachSystem (system: {
        default = {
          type = "app";
          program = "${package}/bin/flywheel";
        };
      });
    };
}
