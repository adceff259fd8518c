resource "kubectl_manifest" "object_store" {
  count = var.backup == null ? 0 : 1

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "barmancloud.cnpg.io/v1"
    kind       = "ObjectStore"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = {
      retentionPolicy = var.backup.retention
      configuration = { for key, value in {
        destinationPath = "s3://${join("/", compact([var.backup.bucket, var.backup.path]))}/"
        endpointURL     = var.backup.endpoint
        endpointCA      = var.backup.endpoint_ca_secret == null ? null : { name = var.backup.endpoint_ca_secret, key = "ca.crt" }
        wal             = { compression = "zstd", maxParallel = 4 }
        data            = { compression = "lz4", jobs = 2 }
        s3Credentials = { for key, value in {
          inheritFromIAMRole = var.backup.credentials_secret == null ? true : null
          accessKeyId        = var.backup.credentials_secret == null ? null : { name = var.backup.credentials_secret, key = var.backup.access_key_id_key }
          secretAccessKey    = var.backup.credentials_secret == null ? null : { name = var.backup.credentials_secret, key = var.backup.secret_access_key_key }
        } : key => value if value != null }
      } : key => value if value != null }
      instanceSidecarConfiguration = {
        resources = {
          requests = { cpu = "50m", memory = "128Mi" }
          limits   = { memory = "512Mi" }
        }
        # New versions of boto3 send checksum trailers, which many object stores refuse.
        env = concat(
          [
            { name = "AWS_REQUEST_CHECKSUM_CALCULATION", value = "when_required" },
            { name = "AWS_RESPONSE_CHECKSUM_VALIDATION", value = "when_required" },
          ],
          var.backup.region == null ? [] : [{ name = "AWS_DEFAULT_REGION", value = var.backup.region }],
        )
      }
    }
  })
}

resource "kubectl_manifest" "scheduled_backup" {
  count      = var.backup == null ? 0 : 1
  depends_on = [kubectl_manifest.cluster]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "postgresql.cnpg.io/v1"
    kind       = "ScheduledBackup"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = {
      cluster              = { name = var.name }
      schedule             = var.backup.schedule
      immediate            = true
      backupOwnerReference = "self"
      method               = "plugin"
      pluginConfiguration  = { name = local.barman }
    }
  })
}
