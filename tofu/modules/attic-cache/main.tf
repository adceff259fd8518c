# What all pods of the cache have in common. What is special to one of the two servers is in
# server-flywheel.tf and server-atticd.tf: arguments, environment, files and probes.
locals {
  common = {
    "app.kubernetes.io/name"     = "attic-cache"
    "app.kubernetes.io/instance" = var.name
  }
  labels = merge(var.labels, local.common, {
    "app.kubernetes.io/managed-by" = "opentofu"
    "app.kubernetes.io/part-of"    = "glorious-flywheel"
  })
  api_labels     = merge(local.common, { "app.kubernetes.io/component" = "api" })
  gc_labels      = merge(local.common, { "app.kubernetes.io/component" = "gc" })
  migrate_labels = merge(local.common, { "app.kubernetes.io/component" = "migrate" })

  server = {
    flywheel = local.flywheel
    atticd   = local.atticd
  }[var.server]

  # The end of a pod: out of the balancer, transfers done, and then some seconds for commits.
  termination_seconds = var.shutdown.drain + var.shutdown.grace + 15

  resources = { for role, wanted in var.resources : role => {
    requests = { cpu = wanted.cpu_request, memory = wanted.memory_request }
    limits   = { for name, amount in { memory = wanted.memory_limit, cpu = wanted.cpu_limit } : name => amount if amount != null }
  } }

  # Null is not written.
  pod = { for key, value in {
    serviceAccountName           = var.name
    automountServiceAccountToken = false
    enableServiceLinks           = false
    securityContext = {
      runAsNonRoot        = true
      runAsUser           = var.user_id
      runAsGroup          = var.user_id
      fsGroup             = var.user_id
      fsGroupChangePolicy = "OnRootMismatch"
      seccompProfile      = { type = "RuntimeDefault" }
    }
    volumes           = local.server.volumes
    imagePullSecrets  = length(var.image_pull_secrets) == 0 ? null : [for name in var.image_pull_secrets : { name = name }]
    nodeSelector      = length(var.scheduling.node_selector) == 0 ? null : var.scheduling.node_selector
    priorityClassName = var.scheduling.priority_class
    tolerations = length(var.scheduling.tolerations) == 0 ? null : [
      for toleration in var.scheduling.tolerations : { for key, value in toleration : key => value if value != null }
    ]
  } : key => value if value != null }

  container = {
    image           = var.image
    imagePullPolicy = var.image_pull_policy
    env             = local.server.env
    securityContext = {
      allowPrivilegeEscalation = false
      readOnlyRootFilesystem   = true
      capabilities             = { drop = ["ALL"] }
    }
    volumeMounts = local.server.mounts
  }

  # Pods are replaced when what they only read at their start changes.
  restart_annotations = {
    "attic-cache/configuration" = substr(sha256(jsonencode([local.server.files, var.credentials_revision])), 0, 16)
  }
}

resource "kubectl_manifest" "service_account" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata = { for key, value in {
      name        = var.name
      namespace   = var.namespace
      labels      = local.labels
      annotations = length(var.service_account_annotations) == 0 ? null : var.service_account_annotations
    } : key => value if value != null }
    automountServiceAccountToken = false
  })
}

resource "kubectl_manifest" "files" {
  count = length(local.server.files) > 0 ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "${var.name}-files", namespace = var.namespace, labels = local.labels }
    data       = local.server.files
  })
}
