namespace         = "attic"
server            = "atticd"
image             = "ghcr.io/zhaofengli/attic:4dbdbee45728d8ce5788db6461aaaa89d98081f0"
token_keys_secret = "attic-token-keys"
retention         = "90d"

replicas = {
  min = 1
  max = 1
}

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

endpoints = {
  api = "https://cache.example.org/"
}

gateway = {
  host         = "cache.example.org"
  name         = "public"
  namespace    = "gateways"
  section_name = "https"
}

network = {
  client_namespaces = ["gateways"]
}
