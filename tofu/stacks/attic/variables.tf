variable "organization_file" {
  description = "The organization in one environment, with all layers merged and all defaults filled in: what `flywheel config show --environment NAME` prints, as YAML or JSON."
  type        = string

  validation {
    condition     = fileexists(var.organization_file)
    error_message = "The file is not there. `flywheel config show --environment NAME` prints its content."
  }
  validation {
    condition     = try(length(yamldecode(file(var.organization_file)).environments), 0) == 1
    error_message = "The file must hold the organization as it is in one environment: `flywheel config show --environment NAME` prints it."
  }
  validation {
    condition     = try(yamldecode(file(var.organization_file)).networkPolicy.enabled, true)
    error_message = "The modules close every namespace: networkPolicy.enabled cannot be false."
  }
}
