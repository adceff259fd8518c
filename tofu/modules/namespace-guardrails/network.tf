# Policies only ever add: everything is closed here, and each module opens what its own pods need.
resource "kubectl_manifest" "default_deny" {
  depends_on = [kubectl_manifest.namespace]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata = {
      name      = "default-deny"
      namespace = var.namespace
      labels    = local.labels
    }
    spec = {
      podSelector = {}
      policyTypes = ["Ingress", "Egress"]
    }
  })
}

resource "kubectl_manifest" "allow_dns" {
  depends_on = [kubectl_manifest.namespace]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata = {
      name      = "allow-dns"
      namespace = var.namespace
      labels    = local.labels
    }
    spec = {
      podSelector = {}
      policyTypes = ["Egress"]
      egress = [{
        to = [{
          namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = var.dns.namespace } }
          podSelector       = { matchLabels = var.dns.pod_labels }
        }]
        ports = [
          { port = 53, protocol = "UDP" },
          { port = 53, protocol = "TCP" },
        ]
      }]
    }
  })
}
