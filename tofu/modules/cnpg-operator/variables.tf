variable "manifests" {
  description = "Published release manifests, by name: the operator's, and that of its Barman plugin. Each is a file on this machine with the SHA-256 that was reviewed."
  type = map(object({
    file   = string
    sha256 = string
  }))

  validation {
    condition     = length(var.manifests) > 0 && alltrue([for manifest in values(var.manifests) : can(regex("^[0-9a-f]{64}$", manifest.sha256))])
    error_message = "There must be at least one manifest, each with its SHA-256: 64 lower-case hexadecimal digits."
  }
  validation {
    condition     = alltrue([for manifest in values(var.manifests) : fileexists(manifest.file)])
    error_message = "A manifest is not there: fetch the pinned version first."
  }
  validation {
    condition     = alltrue([for manifest in values(var.manifests) : try(filesha256(manifest.file), "") == manifest.sha256])
    error_message = "A manifest is not the one that was reviewed: its SHA-256 differs. Nothing is applied."
  }
}

variable "keep_definitions" {
  description = "Whether custom resource definitions stay when this module is destroyed. Without them, Kubernetes removes every database cluster there is."
  type        = bool
  default     = true
}
