locals {
  autoscaled = var.replicas.max > var.replicas.min
}

resource "kubectl_manifest" "api" {
  depends_on = [
    kubectl_manifest.service_account,
    kubectl_manifest.files,
    kubectl_manifest.network_policy,
    kubectl_manifest.migration,
  ]

  server_side_apply = true
  wait_for_rollout  = true
  yaml_body = yamlencode({
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "${var.name}-api", namespace = var.namespace, labels = merge(local.labels, local.api_labels) }
    spec = { for key, value in {
      # Who has an autoscaler leaves the number to it.
      replicas = local.autoscaled ? null : var.replicas.min
      selector = { matchLabels = local.api_labels }
      # No replica goes before its successor is ready.
      strategy = { type = "RollingUpdate", rollingUpdate = { maxUnavailable = 0, maxSurge = 1 } }
      template = {
        metadata = { labels = merge(local.labels, local.api_labels), annotations = local.restart_annotations }
        spec = merge(local.pod, {
          terminationGracePeriodSeconds = local.termination_seconds
          topologySpreadConstraints = [for key in ["kubernetes.io/hostname", "topology.kubernetes.io/zone"] : {
            maxSkew           = 1
            topologyKey       = key
            whenUnsatisfiable = "ScheduleAnyway"
            labelSelector     = { matchLabels = local.api_labels }
          }]
          containers = [merge(local.container, local.server.api_extras, {
            name      = "api"
            args      = local.server.api_args
            resources = local.resources.api
          })]
        })
      }
    } : key => value if value != null }
  })
}

resource "kubectl_manifest" "autoscaler" {
  count = local.autoscaled ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "autoscaling/v2"
    kind       = "HorizontalPodAutoscaler"
    metadata   = { name = "${var.name}-api", namespace = var.namespace, labels = local.labels }
    spec = {
      scaleTargetRef = { apiVersion = "apps/v1", kind = "Deployment", name = "${var.name}-api" }
      minReplicas    = var.replicas.min
      maxReplicas    = var.replicas.max
      metrics = [{
        type     = "Resource"
        resource = { name = "cpu", target = { type = "Utilization", averageUtilization = var.replicas.cpu_percent } }
      }]
      behavior = {
        # A push comes in bursts: quick to grow, slow to shrink.
        scaleUp   = { stabilizationWindowSeconds = 0, selectPolicy = "Max", policies = [{ type = "Pods", value = 2, periodSeconds = 30 }] }
        scaleDown = { stabilizationWindowSeconds = 300, selectPolicy = "Max", policies = [{ type = "Pods", value = 1, periodSeconds = 60 }] }
      }
    }
  })
}

resource "kubectl_manifest" "disruption_budget" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "policy/v1"
    kind       = "PodDisruptionBudget"
    metadata   = { name = "${var.name}-api", namespace = var.namespace, labels = local.labels }
    spec = {
      # Not minAvailable: of a single replica, that would block every drain.
      maxUnavailable             = 1
      unhealthyPodEvictionPolicy = "AlwaysAllow"
      selector                   = { matchLabels = local.api_labels }
    }
  })
}

resource "kubectl_manifest" "service" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = var.name, namespace = var.namespace, labels = merge(local.labels, local.api_labels) }
    spec = {
      type     = "ClusterIP"
      selector = local.api_labels
      ports    = [{ name = "http", port = 80, targetPort = "http", protocol = "TCP", appProtocol = "http" }]
    }
  })
}
