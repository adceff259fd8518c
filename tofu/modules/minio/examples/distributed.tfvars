namespace            = "attic"
replicas             = 4
drives_per_replica   = 2
credentials_revision = "2"

root_secret = {
  name         = "minio-root"
  user_key     = "user"
  password_key = "password"
}

storage = {
  size  = "500Gi"
  class = "local"
}

buckets = {
  nix-cache = { quota = "2TiB" }
  runners   = { quota = "200GiB" }
}

consumers = {
  cache     = { buckets = ["nix-cache"], secret = "attic-s3" }
  runners   = { buckets = ["runners"], secret = "runners-s3", access_key_id_key = "accesskey", secret_access_key_key = "secretkey" }
  inventory = { buckets = ["nix-cache", "runners"], secret = "inventory-s3", read_only = true }
}

scheduling = {
  node_selector  = { "node-role" = "data" }
  priority_class = "flywheel-service"
  tolerations    = [{ key = "data", operator = "Exists" }]
}

network = {
  client_namespaces = ["runners"]
}

monitoring = {
  enabled = true
}
