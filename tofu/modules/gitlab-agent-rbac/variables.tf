variable "namespace" {
  description = "Namespace that the jobs get access to. It has to exist."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "The namespace must be a DNS label: up to 63 lower-case letters, digits and inner hyphens."
  }
  validation {
    condition     = !startswith(var.namespace, "kube-")
    error_message = "Jobs get no access to Kubernetes' own namespaces."
  }
}

variable "labels" {
  description = "Further labels of every object."
  type        = map(string)
  default     = {}
}

variable "grants" {
  description = "Who may do what, by name. `view` reads workloads and logs, and is enough to plan; `deploy` also applies what the modules of this repository make. Jobs come through GitLab's agent with `access_as: ci_job`, and are known by the ids of their project and groups, here or, with `environment`, only in jobs of that one; `service_accounts` are those of pods in the cluster, such as jobs of a runner there. `secrets` also gives Secrets, which hold every credential of the namespace."
  type = map(object({
    access      = string
    projects    = optional(list(number), [])
    groups      = optional(list(number), [])
    environment = optional(string)
    secrets     = optional(bool, false)
    service_accounts = optional(list(object({
      namespace = string
      name      = string
    })), [])
  }))

  validation {
    condition     = length(var.grants) > 0 && alltrue([for name in keys(var.grants) : can(regex("^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$", name))])
    error_message = "There must be at least one grant, and its name a DNS label of at most 42 characters."
  }
  validation {
    condition     = alltrue([for grant in values(var.grants) : contains(["view", "deploy"], grant.access)])
    error_message = "The access must be view or deploy."
  }
  validation {
    condition     = alltrue([for grant in values(var.grants) : length(grant.projects) + length(grant.groups) + length(grant.service_accounts) > 0])
    error_message = "A grant needs projects, groups or ServiceAccounts: without any, it would be for every job that the agent serves."
  }
  validation {
    condition     = alltrue(flatten([for grant in values(var.grants) : [for id in concat(grant.projects, grant.groups) : id == floor(id) && id > 0]]))
    error_message = "Projects and groups are given by their numeric ids."
  }
  validation {
    condition     = alltrue([for grant in values(var.grants) : grant.environment == null || can(regex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", grant.environment))])
    error_message = "An environment is given by its slug: lower-case letters, digits and hyphens."
  }
  validation {
    condition     = alltrue([for grant in values(var.grants) : grant.environment == null || length(grant.service_accounts) == 0])
    error_message = "A ServiceAccount is the same in every environment: give it a grant without one."
  }
  validation {
    condition     = alltrue(flatten([for grant in values(var.grants) : [for account in grant.service_accounts : can(regex("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "${account.name}/${account.namespace}"))]]))
    error_message = "A ServiceAccount is given by its namespace and its name."
  }
  validation {
    condition     = alltrue([for grant in values(var.grants) : !grant.secrets || grant.access == "deploy"])
    error_message = "Secrets are for deploy only: whoever reads them can do more than view."
  }
}
