output "url" {
  description = "Public URL of the cache. Null where it is not deployed."
  value       = one(module.cache[*].public_url)
}

output "service_url" {
  description = "URL of the cache inside the cluster."
  value       = one(module.cache[*].service_url)
}

output "migration_job" {
  description = "Name of the Job that brings the schema up to date. When replicas do not start, its log says why."
  value       = one(module.cache[*].migration_job)
}
