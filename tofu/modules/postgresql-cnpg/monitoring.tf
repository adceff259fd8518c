resource "kubectl_manifest" "pod_monitor" {
  count = var.monitoring.enabled ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "PodMonitor"
    metadata   = { name = var.name, namespace = var.namespace, labels = merge(local.labels, var.monitoring.labels) }
    spec = {
      selector            = { matchLabels = local.pod_labels }
      podMetricsEndpoints = [{ port = "metrics" }]
    }
  })
}

locals {
  # Every series is of this namespace, whatever else Prometheus watches.
  series = "namespace=\"${var.namespace}\",pod=~\"${var.name}-[0-9]+\""

  alerts = concat(
    [
      {
        alert       = "PostgresqlInstanceDown"
        expr        = "(sum(cnpg_collector_up{${local.series}}) or vector(0)) < ${var.instances}"
        for         = "5m"
        labels      = { severity = var.instances > 1 ? "warning" : "critical" }
        annotations = { summary = "Fewer than ${var.instances} instances of ${var.name} are up." }
      },
      {
        alert       = "PostgresqlReplicationLag"
        expr        = "max(cnpg_pg_replication_lag{${local.series}}) > 60"
        for         = "5m"
        labels      = { severity = "warning" }
        annotations = { summary = "A replica of ${var.name} is a minute behind: a failover would lose that much." }
      },
      {
        alert       = "PostgresqlConnectionsNearLimit"
        expr        = "max by (pod) (sum by (pod) (cnpg_backends_total{${local.series}})) > ${floor(var.max_connections * 0.85)}"
        for         = "5m"
        labels      = { severity = "warning" }
        annotations = { summary = "${var.name} uses more than 85 % of its ${var.max_connections} connections." }
      },
      {
        alert       = "PostgresqlVolumeNearlyFull"
        expr        = "min by (persistentvolumeclaim) (kubelet_volume_stats_available_bytes{namespace=\"${var.namespace}\",persistentvolumeclaim=~\"${var.name}-[0-9]+(-wal)?\"} / kubelet_volume_stats_capacity_bytes) < 0.15"
        for         = "10m"
        labels      = { severity = "critical" }
        annotations = { summary = "A volume of ${var.name} has less than 15 % free: raise storage.size or storage.wal_size." }
      },
    ],
    var.backup == null ? [] : [
      {
        alert       = "PostgresqlWalNotArchived"
        expr        = "max(cnpg_collector_pg_wal_archive_status{${local.series},value=\"ready\"}) > 10"
        for         = "15m"
        labels      = { severity = "critical" }
        annotations = { summary = "${var.name} cannot archive its write-ahead log: the newest changes are in no backup, and the volume fills." }
      },
      {
        alert       = "PostgresqlBackupTooOld"
        expr        = "time() - max(barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${local.series}}) > 172800"
        for         = "1h"
        labels      = { severity = "critical" }
        annotations = { summary = "The last backup of ${var.name} is more than two days old." }
      },
    ],
  )
}

resource "kubectl_manifest" "alerts" {
  count = var.monitoring.enabled ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "PrometheusRule"
    metadata   = { name = var.name, namespace = var.namespace, labels = merge(local.labels, var.monitoring.labels) }
    spec       = { groups = [{ name = "${var.namespace}-${var.name}", rules = local.alerts }] }
  })
}
