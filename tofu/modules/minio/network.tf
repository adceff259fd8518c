locals {
  dns_egress = {
    to    = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = var.network.dns_namespace } } }]
    ports = [{ port = 53, protocol = "UDP" }, { port = 53, protocol = "TCP" }]
  }
  s3_port = [{ port = 9000, protocol = "TCP" }]
}

resource "kubectl_manifest" "network_policy" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = {
      podSelector = { matchLabels = local.pod_labels }
      policyTypes = ["Ingress", "Egress"]
      ingress = [{
        from = concat(
          [{ podSelector = { matchLabels = local.pod_labels } }, { podSelector = { matchLabels = local.setup_labels } }],
          [for labels in var.network.client_labels : { podSelector = { matchLabels = labels } }],
          [for name in concat(var.network.client_namespaces, var.monitoring.enabled ? [var.network.monitoring_namespace] : []) :
          { namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = name } } }],
        )
        ports = local.s3_port
      }]
      egress = [
        { to = [{ podSelector = { matchLabels = local.pod_labels } }], ports = local.s3_port },
        local.dns_egress,
      ]
    }
  })
}

resource "kubectl_manifest" "setup_network_policy" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = { name = "${var.name}-setup", namespace = var.namespace, labels = local.labels }
    spec = {
      podSelector = { matchLabels = local.setup_labels }
      policyTypes = ["Ingress", "Egress"]
      egress = [
        { to = [{ podSelector = { matchLabels = local.pod_labels } }], ports = local.s3_port },
        local.dns_egress,
      ]
    }
  })
}
