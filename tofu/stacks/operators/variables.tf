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
}

variable "manifests" {
  description = "Published release manifests, by name: each a file on this machine with the SHA-256 that was reviewed. Only needed where the database is CloudNativePG's."
  type = map(object({
    file   = string
    sha256 = string
  }))
  default = {}
}
