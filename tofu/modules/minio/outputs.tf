output "endpoint" {
  description = "URL of the object store inside the cluster."
  value       = local.url
  depends_on  = [kubectl_manifest.servers, kubectl_manifest.setup]
}

output "buckets" {
  description = "Names of the buckets."
  value       = keys(var.buckets)
}

output "pod_labels" {
  description = "Labels of the servers, for the network policies of clients."
  value       = local.pod_labels
}

output "port" {
  description = "Port of the object store."
  value       = 9000
}

output "setup_job" {
  description = "Name of the Job that makes buckets and users. When it fails, its log says why."
  value       = "${var.name}-setup-${local.setup_digest}"
}
