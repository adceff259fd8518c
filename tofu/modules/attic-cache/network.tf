locals {
  dns_egress = {
    to    = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = var.network.dns_namespace } } }]
    ports = [{ port = 53, protocol = "UDP" }, { port = 53, protocol = "TCP" }]
  }

  # Pods by their labels, addresses by their blocks.
  backends = [for backend in [var.database, var.storage] : {
    to = concat(
      length(backend.pod_labels) == 0 ? [] : [{ for key, value in {
        podSelector       = { matchLabels = backend.pod_labels }
        namespaceSelector = backend.namespace == null ? null : { matchLabels = { "kubernetes.io/metadata.name" = backend.namespace } }
      } : key => value if value != null }],
      [for cidr in backend.cidrs : { ipBlock = { cidr = cidr } }],
    )
    ports = [{ port = backend.port, protocol = "TCP" }]
  }]

  https_cidrs = distinct(concat(var.upstream_cidrs, try(var.exchange_policy.issuer_cidrs, [])))
}

resource "kubectl_manifest" "network_policy" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = {
      podSelector = { matchLabels = local.common }
      policyTypes = ["Ingress", "Egress"]
      ingress = concat(
        [{
          from = concat(
            [{ podSelector = { matchLabels = { "attic-cache/client" = "true" } } }],
            [for name in var.network.client_namespaces : { namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = name } } }],
          )
          ports = [{ port = 8080, protocol = "TCP" }]
        }],
        !var.monitoring.enabled ? [] : [{
          from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = var.network.monitoring_namespace } } }]
          ports = [{ port = 9090, protocol = "TCP" }]
        }],
      )
      egress = concat(
        local.backends,
        [local.dns_egress],
        length(local.https_cidrs) == 0 ? [] : [{
          to    = [for cidr in local.https_cidrs : { ipBlock = { cidr = cidr } }]
          ports = [{ port = 443, protocol = "TCP" }]
        }],
      )
    }
  })
}
