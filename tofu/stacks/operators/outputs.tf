output "definitions" {
  description = "Names of the custom resource definitions."
  value       = flatten(module.cnpg[*].definitions)
}
