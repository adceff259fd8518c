resource "kubectl_manifest" "network_policy" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = {
      podSelector = { matchLabels = local.pod_labels }
      policyTypes = ["Ingress", "Egress"]
      ingress = concat(
        [
          # Replication, and the jobs that make a new instance.
          {
            from  = [{ podSelector = { matchLabels = local.pod_labels } }]
            ports = [{ port = 5432, protocol = "TCP" }, { port = 8000, protocol = "TCP" }]
          },
          # The operator asks each instance for its status.
          {
            from = [{
              namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = var.network.operator_namespace } }
            }]
            ports = [{ port = 5432, protocol = "TCP" }, { port = 8000, protocol = "TCP" }]
          },
        ],
        length(var.network.client_labels) == 0 ? [] : [{
          from  = [for labels in var.network.client_labels : { podSelector = { matchLabels = labels } }]
          ports = [{ port = 5432, protocol = "TCP" }]
        }],
        !var.monitoring.enabled ? [] : [{
          from = [{
            namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = var.network.monitoring_namespace } }
          }]
          ports = [{ port = 9187, protocol = "TCP" }]
        }],
      )
      egress = concat(
        [
          {
            to    = [{ podSelector = { matchLabels = local.pod_labels } }]
            ports = [{ port = 5432, protocol = "TCP" }, { port = 8000, protocol = "TCP" }]
          },
          {
            to = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = "kube-system" } } }]
            ports = [
              { port = 53, protocol = "UDP" },
              { port = 53, protocol = "TCP" },
            ]
          },
          # Each instance reports to the API server, and reads its configuration from it.
          {
            to    = [for cidr in var.network.api_server_cidrs : { ipBlock = { cidr = cidr } }]
            ports = [for port in var.network.api_server_ports : { port = port, protocol = "TCP" }]
          },
        ],
        var.backup == null ? [] : [{
          to    = [for cidr in var.network.object_store_cidrs : { ipBlock = { cidr = cidr } }]
          ports = [for port in var.network.object_store_ports : { port = port, protocol = "TCP" }]
        }],
      )
    }
  })
}
