namespace    = "attic"
instances    = 3
require_tls  = true
owner_secret = "attic-db-owner"
cache_bucket = "nix-cache"

storage = {
  size     = "50Gi"
  class    = "fast"
  wal_size = "10Gi"
}

resources = {
  cpu_request    = "1"
  memory_request = "4Gi"
  memory_limit   = "4Gi"
}

parameters = {
  "log_statement" = "ddl"
}

backup = {
  bucket             = "attic-backups"
  path               = "production"
  endpoint           = "https://s3.example.org"
  endpoint_ca_secret = "s3-ca"
  credentials_secret = "attic-backup-s3"
}

scheduling = {
  spread         = "required"
  node_selector  = { "node-role" = "data" }
  priority_class = "flywheel-service"
  tolerations    = [{ key = "data", operator = "Exists", effect = "NoSchedule" }]
}

monitoring = {
  enabled = true
  labels  = { "release" = "prometheus" }
}
