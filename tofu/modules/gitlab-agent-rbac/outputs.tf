output "subjects" {
  description = "Groups of GitLab's agent that each grant is for."
  value       = local.subjects
}
