# Of every pod, ready or not: an unready one is what one wants to see.
resource "kubectl_manifest" "metrics_service" {
  count = var.monitoring.enabled ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "${var.name}-metrics", namespace = var.namespace, labels = merge(local.labels, { "app.kubernetes.io/component" = "metrics" }) }
    spec = {
      clusterIP                = "None"
      publishNotReadyAddresses = true
      selector                 = local.common
      ports                    = [{ name = "metrics", port = 9090, targetPort = "metrics", protocol = "TCP" }]
    }
  })
}

resource "kubectl_manifest" "service_monitor" {
  count = var.monitoring.enabled ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "ServiceMonitor"
    metadata   = { name = var.name, namespace = var.namespace, labels = merge(local.labels, var.monitoring.labels) }
    spec = {
      selector  = { matchLabels = merge(local.common, { "app.kubernetes.io/component" = "metrics" }) }
      endpoints = [{ port = "metrics", path = "/metrics", interval = "30s" }]
    }
  })
}

locals {
  series = "namespace=\"${var.namespace}\",service=\"${var.name}-metrics\""

  alerts = [
    {
      alert       = "AtticCacheDown"
      expr        = "(sum(up{${local.series},pod=~\"${var.name}-api-.*\"}) or vector(0)) < 1"
      for         = "2m"
      labels      = { severity = "critical" }
      annotations = { summary = "No replica of the cache ${var.name} answers. Builds go on, without it." }
    },
    {
      alert       = "AtticCacheErrors"
      expr        = "sum(rate(flywheel_cache_requests_total{${local.series},status=~\"5..\"}[5m])) / sum(rate(flywheel_cache_requests_total{${local.series}}[5m])) > 0.05"
      for         = "10m"
      labels      = { severity = "critical" }
      annotations = { summary = "More than 5 % of the requests to the cache ${var.name} fail." }
    },
    {
      alert       = "AtticCacheUploadsRefused"
      expr        = "sum(increase(flywheel_cache_uploads_refused_total{${local.series}}[15m])) > 0"
      for         = "15m"
      labels      = { severity = "warning" }
      annotations = { summary = "The cache ${var.name} refuses uploads because it has too many at once: raise replicas.max or the CPU." }
    },
    {
      alert       = "AtticCacheRetentionFails"
      expr        = "sum(increase(flywheel_cache_reclaim_runs_total{${local.series},result=\"failed\"}[6h])) > 1"
      labels      = { severity = "warning" }
      annotations = { summary = "Runs of retention of the cache ${var.name} fail: nothing is reclaimed." }
    },
    {
      alert       = "AtticCacheRetentionStopped"
      expr        = "time() - max(flywheel_cache_retention_finished_timestamp_seconds{${local.series}}) > 21600"
      for         = "30m"
      labels      = { severity = "warning" }
      annotations = { summary = "Retention of the cache ${var.name} has not run for six hours: look at the pod ${var.name}-gc." }
    },
  ]
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
