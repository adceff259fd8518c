locals {
  labels = merge(var.labels, {
    "app.kubernetes.io/managed-by" = "opentofu"
    "app.kubernetes.io/part-of"    = "glorious-flywheel"
  })

  # Kubernetes leaves out what is not set; an empty map would be a change at every plan.
  container_defaults = { for name, amount in { cpu = var.container_defaults.cpu_limit, memory = var.container_defaults.memory_limit } : name => amount if amount != null }
  container_requests = { for name, amount in { cpu = var.container_defaults.cpu_request, memory = var.container_defaults.memory_request } : name => amount if amount != null }
  container_max      = { for name, amount in var.container_max : name => amount if amount != null }
}

resource "kubectl_manifest" "namespace" {
  count = var.manage_namespace ? 1 : 0

  server_side_apply = true
  apply_only        = var.keep_namespace
  # Whoever deletes a namespace waits until it is gone: what is made anew in it would be lost.
  wait = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Namespace"
    metadata = {
      name = var.namespace
      labels = merge(local.labels, {
        "pod-security.kubernetes.io/enforce"         = var.pod_security.enforce
        "pod-security.kubernetes.io/enforce-version" = var.pod_security.version
        "pod-security.kubernetes.io/warn"            = var.pod_security.warn
        "pod-security.kubernetes.io/warn-version"    = var.pod_security.version
        "pod-security.kubernetes.io/audit"           = var.pod_security.audit
        "pod-security.kubernetes.io/audit-version"   = var.pod_security.version
      })
    }
  })
}

resource "kubectl_manifest" "quota" {
  count      = length(var.quota) > 0 ? 1 : 0
  depends_on = [kubectl_manifest.namespace]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ResourceQuota"
    metadata = {
      name      = "namespace"
      namespace = var.namespace
      labels    = local.labels
    }
    spec = { hard = var.quota }
  })
}

resource "kubectl_manifest" "limits" {
  depends_on = [kubectl_manifest.namespace]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "LimitRange"
    metadata = {
      name      = "containers"
      namespace = var.namespace
      labels    = local.labels
    }
    spec = {
      limits = [merge(
        { type = "Container" },
        length(local.container_defaults) > 0 ? { default = local.container_defaults } : {},
        length(local.container_requests) > 0 ? { defaultRequest = local.container_requests } : {},
        length(local.container_max) > 0 ? { max = local.container_max } : {},
      )]
    }
  })
}

resource "kubectl_manifest" "priority_class" {
  for_each = var.priority_classes

  server_side_apply = true
  # Neither value nor preemption of a class can be changed.
  force_new = true
  yaml_body = yamlencode({
    apiVersion       = "scheduling.k8s.io/v1"
    kind             = "PriorityClass"
    metadata         = { name = each.key, labels = local.labels }
    value            = each.value.value
    description      = each.value.description
    globalDefault    = false
    preemptionPolicy = each.value.preempts ? "PreemptLowerPriority" : "Never"
  })
}
