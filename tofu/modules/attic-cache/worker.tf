# One pod expires, reclaims and repacks for all replicas.
resource "kubectl_manifest" "gc" {
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
    metadata   = { name = "${var.name}-gc", namespace = var.namespace, labels = merge(local.labels, local.gc_labels) }
    spec = {
      replicas = 1
      selector = { matchLabels = local.gc_labels }
      strategy = local.server.gc_strategy
      template = {
        metadata = { labels = merge(local.labels, local.gc_labels), annotations = local.restart_annotations }
        spec = merge(local.pod, {
          terminationGracePeriodSeconds = local.termination_seconds
          containers = [merge(local.container, local.server.gc_extras, {
            name      = "gc"
            args      = local.server.gc_args
            resources = local.resources.worker
          })]
        })
      }
    }
  })
}

# The schema, before what needs it. Replicas of the version before go on working with a newer one. A
# Job cannot be changed, so each version has one of its own; without a time to live it stays known
# to the state, and the next plan finds nothing to do.
locals {
  migration_pod = merge(local.pod, {
    restartPolicy = "OnFailure"
    containers = [merge(local.container, {
      name      = "migrate"
      args      = local.server.migrate_args
      resources = local.resources.worker
    })]
  })
  migration_name = "${var.name}-migrate-${substr(sha256(jsonencode([local.migration_pod, local.labels, local.restart_annotations])), 0, 10)}"
}

resource "kubectl_manifest" "migration" {
  depends_on = [kubectl_manifest.service_account, kubectl_manifest.files, kubectl_manifest.network_policy]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "batch/v1"
    kind       = "Job"
    metadata   = { name = local.migration_name, namespace = var.namespace, labels = merge(local.labels, local.migrate_labels) }
    spec = {
      backoffLimit          = 10
      activeDeadlineSeconds = 1800
      template = {
        metadata = { labels = merge(local.labels, local.migrate_labels) }
        spec     = local.migration_pod
      }
    }
  })
}
