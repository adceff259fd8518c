# What a start needs of the checkout, and nothing else: an edit of the docs or of a test makes no
# new store path.
let
  root = toString ./..;
  version = (builtins.fromJSON (builtins.readFile ../package.json)).version;

  kept = [
    "LICENSE"
    "flywheel"
    "package.json"
    "pnpm-lock.yaml"
    "pnpm-workspace.yaml"
    "packages"
    "nix"
    "nix/profile"
  ];

  within = folder: path: builtins.substring 0 (builtins.stringLength folder + 1) path == folder + "/";

  # Besides the folders that are kept whole. `testing` is for tests; node_modules is there when this
  # is no git checkout.
  dropped =
    path:
    builtins.match "packages/testing(/.*)?|packages/[^/]*/(testdata|assembly)" path != null
    || builtins.match ".*\\.test\\.ts" path != null
    || baseNameOf path == "node_modules";

  relative = path: builtins.substring (builtins.stringLength root + 1) (-1) path;
in
builtins.path {
  name = "flywheel-source-${version}";
  path = ./..;
  filter =
    absolute: type:
    let
      path = relative absolute;
    in
    !dropped path
    && (builtins.elem path kept || within "packages" path || within "nix/profile" path);
}
