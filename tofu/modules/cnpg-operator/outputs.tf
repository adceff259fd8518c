output "definitions" {
  description = "Names of the custom resource definitions. Whoever makes such resources depends on this output."
  value       = [for key in keys(local.definitions) : split("/", key)[2]]
  depends_on  = [kubectl_manifest.object]
}

output "objects" {
  description = "All objects, as `kind/namespace/name`."
  value       = keys(local.objects)
}
