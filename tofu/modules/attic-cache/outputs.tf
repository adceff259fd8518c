output "service_url" {
  description = "URL inside the cluster."
  value       = "http://${var.name}.${var.namespace}.svc/"
  depends_on  = [kubectl_manifest.api, kubectl_manifest.service]
}

output "public_url" {
  description = "Public URL, by the ingress or the gateway. Null without either."
  value = one(concat(
    var.ingress == null ? [] : ["${var.ingress.tls_secret == null ? "http" : "https"}://${var.ingress.host}/"],
    var.gateway == null ? [] : ["https://${var.gateway.host}/"],
  ))
}

output "client_labels" {
  description = "What a pod of this namespace needs to reach the cache."
  value       = { "attic-cache/client" = "true" }
}

output "pod_labels" {
  description = "Labels of all pods of the cache, for the network policies of database and bucket."
  value       = local.common
}

output "migration_job" {
  description = "Name of the Job that brings the schema up to date. When replicas do not start, its log says why."
  value       = local.migration_name
}

output "database_connections" {
  description = "Connections that the cache opens at most, in the middle of an upgrade: eleven for each process. `max_connections` of the database must be larger."
  # One more replica, a second worker, the migration.
  value = 11 * (var.replicas.max + 1 + 2 + 1)
}
