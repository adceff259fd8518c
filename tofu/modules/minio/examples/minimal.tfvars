namespace   = "attic"
root_secret = { name = "minio-root" }

buckets = {
  nix-cache = {}
}

consumers = {
  cache = { buckets = ["nix-cache"], secret = "attic-s3" }
}
