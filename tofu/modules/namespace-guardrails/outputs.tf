output "namespace" {
  description = "Name of the namespace. Whatever goes into it depends on this output, and so on the guardrails."
  value       = var.namespace
  depends_on = [
    kubectl_manifest.namespace,
    kubectl_manifest.quota,
    kubectl_manifest.limits,
    kubectl_manifest.default_deny,
    kubectl_manifest.allow_dns,
  ]
}

output "priority_classes" {
  description = "Names of the priority classes made here."
  value       = keys(kubectl_manifest.priority_class)
}
