locals {
  watched = "namespace=~\"${join("|", var.watched_namespaces)}\""

  rules = [
    {
      alert       = "FlywheelPodRestarts"
      expr        = "sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total{${local.watched}}[30m])) > 3"
      for         = "10m"
      labels      = { severity = "warning" }
      annotations = { summary = "{{ $labels.namespace }}/{{ $labels.pod }} restarts again and again." }
    },
    {
      alert       = "FlywheelPodNotReady"
      expr        = "sum by (namespace, pod) (kube_pod_status_phase{${local.watched},phase=~\"Pending|Unknown\"}) > 0"
      for         = "15m"
      labels      = { severity = "warning" }
      annotations = { summary = "{{ $labels.namespace }}/{{ $labels.pod }} has not started for a quarter of an hour." }
    },
    {
      alert       = "FlywheelDeploymentIncomplete"
      expr        = "kube_deployment_spec_replicas{${local.watched}} > kube_deployment_status_replicas_ready"
      for         = "15m"
      labels      = { severity = "warning" }
      annotations = { summary = "{{ $labels.namespace }}/{{ $labels.deployment }} has fewer ready replicas than it wants." }
    },
    {
      alert       = "FlywheelJobFailed"
      expr        = "kube_job_failed{${local.watched},condition=\"true\"} > 0"
      labels      = { severity = "warning" }
      annotations = { summary = "The Job {{ $labels.namespace }}/{{ $labels.job_name }} has failed." }
    },
    {
      alert       = "FlywheelQuotaNearlyUsed"
      expr        = "kube_resourcequota{${local.watched},type=\"used\"} / ignoring(type) (kube_resourcequota{${local.watched},type=\"hard\"} > 0) > 0.9"
      for         = "15m"
      labels      = { severity = "warning" }
      annotations = { summary = "{{ $labels.namespace }} uses more than 90 % of its quota of {{ $labels.resource }}." }
    },
    {
      alert       = "FlywheelVolumeNearlyFull"
      expr        = "kubelet_volume_stats_available_bytes{${local.watched}} / kubelet_volume_stats_capacity_bytes < 0.1"
      for         = "15m"
      labels      = { severity = "critical" }
      annotations = { summary = "The volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} has less than 10 % free." }
    },
    {
      alert       = "FlywheelAutoscalerAtMaximum"
      expr        = "kube_horizontalpodautoscaler_status_current_replicas{${local.watched}} >= kube_horizontalpodautoscaler_spec_max_replicas"
      for         = "1h"
      labels      = { severity = "info" }
      annotations = { summary = "{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} has run at its maximum for an hour." }
    },
  ]
}

resource "kubectl_manifest" "alerts" {
  count = var.alerts == null ? 0 : 1

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "PrometheusRule"
    metadata   = { name = var.name, namespace = var.namespace, labels = merge(local.labels, var.alerts.labels) }
    spec       = { groups = [{ name = "${var.name}-namespaces", rules = local.rules }] }
  })
}
