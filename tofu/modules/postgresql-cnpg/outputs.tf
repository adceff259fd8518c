output "name" {
  description = "Name of the cluster."
  value       = var.name
  depends_on  = [kubectl_manifest.cluster]
}

output "host" {
  description = "Host name of the primary, which follows a failover."
  value       = "${var.name}-rw.${var.namespace}.svc"
}

output "port" {
  description = "Port of PostgreSQL."
  value       = 5432
}

output "url_secret" {
  description = "Secret and key with the URL of the database. With an `owner_secret` of one's own, the URL is for whoever made that to write."
  value       = var.owner_secret == null ? { name = "${var.name}-app", key = "uri" } : null
}

output "ca_secret" {
  description = "Secret and key with the authority that signed the servers' certificates."
  value       = { name = "${var.name}-ca", key = "ca.crt" }
}

output "pod_labels" {
  description = "Labels of the instances, for the network policies of clients."
  value       = local.pod_labels
}

output "max_connections" {
  description = "Connections that PostgreSQL accepts."
  value       = var.max_connections
}
