resource "kubectl_manifest" "service_monitor" {
  count = var.monitoring.enabled ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "ServiceMonitor"
    metadata   = { name = var.name, namespace = var.namespace, labels = merge(local.labels, var.monitoring.labels) }
    spec = {
      selector  = { matchLabels = local.pod_labels }
      endpoints = [{ port = "s3", path = "/minio/v2/metrics/cluster", interval = "60s" }]
    }
  })
}

resource "kubectl_manifest" "alerts" {
  count = var.monitoring.enabled ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "PrometheusRule"
    metadata   = { name = var.name, namespace = var.namespace, labels = merge(local.labels, var.monitoring.labels) }
    spec = {
      groups = [{
        name = "${var.namespace}-${var.name}"
        rules = [
          {
            alert       = "MinioDown"
            expr        = "absent(minio_cluster_health_status{namespace=\"${var.namespace}\"} == 1)"
            for         = "5m"
            labels      = { severity = "critical" }
            annotations = { summary = "The object store ${var.name} does not answer, or has lost too many drives to write." }
          },
          {
            alert       = "MinioDriveOffline"
            expr        = "max(minio_cluster_drive_offline_total{namespace=\"${var.namespace}\"}) > 0"
            for         = "10m"
            labels      = { severity = "warning" }
            annotations = { summary = "A drive of ${var.name} is offline." }
          },
          {
            alert       = "MinioNearlyFull"
            expr        = "min(minio_cluster_capacity_usable_free_bytes{namespace=\"${var.namespace}\"} / minio_cluster_capacity_usable_total_bytes) < 0.1"
            for         = "15m"
            labels      = { severity = "critical" }
            annotations = { summary = "${var.name} has less than 10 % free: pushes will be refused when it is full." }
          },
        ]
      }]
    }
  })
}
