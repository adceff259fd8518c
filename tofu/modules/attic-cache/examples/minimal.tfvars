namespace         = "attic"
image             = "registry.example.org/flywheel/cache:0.1.0"
token_keys_secret = "attic-token-keys"

database = {
  secret     = "attic-db-app"
  pod_labels = { "cnpg.io/cluster" = "attic-db" }
}

storage = {
  bucket             = "nix-cache"
  endpoint           = "http://minio.attic.svc:9000"
  credentials_secret = "attic-s3"
  port               = 9000
  pod_labels         = { "app.kubernetes.io/name" = "minio" }
}
