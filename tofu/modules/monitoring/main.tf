locals {
  labels = merge(var.labels, {
    "app.kubernetes.io/name"       = "monitoring"
    "app.kubernetes.io/instance"   = var.name
    "app.kubernetes.io/managed-by" = "opentofu"
    "app.kubernetes.io/part-of"    = "glorious-flywheel"
  })

  boards = var.grafana == null ? [] : [for file in fileset("${path.module}/boards", "*.json") : trimsuffix(file, ".json")]
}

resource "kubectl_manifest" "board" {
  for_each = toset(local.boards)

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name        = "${var.name}-board-${each.key}"
      namespace   = var.namespace
      labels      = merge(local.labels, { (var.grafana.label) = var.grafana.value })
      annotations = { "grafana_folder" = var.grafana.folder }
    }
    data = { "flywheel-${each.key}.json" = file("${path.module}/boards/${each.key}.json") }
  })
}
