namespace = "attic"
name      = "attic-db-2"
instances = 1

backup = {
  bucket   = "attic-backups"
  role_arn = "arn:aws:iam::123456789012:role/attic-backups"
}

recovery = {
  server_name = "attic-db"
  target_time = "2026-11-23T08:00:00Z"
}
