output "boards" {
  description = "Names of the ConfigMaps with Grafana boards."
  value       = [for name in local.boards : "${var.name}-board-${name}"]
}

output "alerts" {
  description = "Names of the alerts."
  value       = var.alerts == null ? [] : local.rules[*].alert
}
