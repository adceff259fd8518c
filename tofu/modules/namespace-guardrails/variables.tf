variable "namespace" {
  description = "Name of the namespace."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "The namespace must be a DNS label: up to 63 lower-case letters, digits and inner hyphens."
  }
  validation {
    condition     = !contains(["default", "kube-system", "kube-public", "kube-node-lease"], var.namespace)
    error_message = "The namespace must not be one of Kubernetes' own: a default-deny policy there stops the cluster."
  }
}

variable "manage_namespace" {
  description = "Whether the namespace itself, with its pod security labels, is applied. False where somebody else owns it."
  type        = bool
  default     = true
}

variable "keep_namespace" {
  description = "Whether the namespace, and all that lies in it, stays when this module is destroyed."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Further labels of the namespace and of every object."
  type        = map(string)
  default     = {}
}

variable "pod_security" {
  description = "Pod Security Standard that pods must meet (`enforce`), and the ones that are warned about and audited. `version` is one of Kubernetes, such as `v1.37`, or `latest`."
  type = object({
    enforce = optional(string, "restricted")
    warn    = optional(string, "restricted")
    audit   = optional(string, "restricted")
    version = optional(string, "latest")
  })
  default = {}

  validation {
    condition = alltrue([
      for level in [var.pod_security.enforce, var.pod_security.warn, var.pod_security.audit] :
      contains(["privileged", "baseline", "restricted"], level)
    ])
    error_message = "A pod security level must be privileged, baseline or restricted."
  }
  validation {
    condition     = can(regex("^(latest|v1\\.[0-9]+)$", var.pod_security.version))
    error_message = "The version of the Pod Security Standards must be latest or like v1.37."
  }
}

variable "quota" {
  description = "Upper bounds for the whole namespace, by the resource names of a ResourceQuota. Empty: no quota."
  type        = map(string)
  default = {
    "pods"                   = "100"
    "requests.cpu"           = "16"
    "requests.memory"        = "32Gi"
    "limits.memory"          = "64Gi"
    "services.loadbalancers" = "0"
    "services.nodeports"     = "0"
  }

  validation {
    condition     = alltrue([for amount in values(var.quota) : can(regex("^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$", amount))])
    error_message = "Each amount of the quota must be a Kubernetes quantity, such as 16, 500m or 32Gi."
  }
  validation {
    condition     = alltrue([for name in keys(var.quota) : can(regex("^[a-z0-9]([-a-z0-9./]*[a-z0-9])?$", name))])
    error_message = "Each name of the quota must be one of a ResourceQuota, such as pods, requests.cpu or count/jobs.batch."
  }
}

variable "container_defaults" {
  description = "What a container gets that says nothing of itself: requests, and the limit of its memory. `cpu_limit` is unset because throttling hurts more than it helps; a quota of `limits.cpu` needs it."
  type = object({
    cpu_request    = optional(string, "50m")
    memory_request = optional(string, "64Mi")
    memory_limit   = optional(string, "256Mi")
    cpu_limit      = optional(string)
  })
  default = {}

  validation {
    condition = alltrue([
      for amount in values(var.container_defaults) :
      amount == null || can(regex("^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", amount))
    ])
    error_message = "Each default must be a Kubernetes quantity, such as 50m or 64Mi."
  }
  validation {
    condition     = !contains(keys(var.quota), "limits.cpu") || var.container_defaults.cpu_limit != null
    error_message = "A quota of limits.cpu refuses every container without a CPU limit: set container_defaults.cpu_limit too."
  }
}

variable "container_max" {
  description = "The most that one container may ask for. An unset amount has no bound."
  type = object({
    cpu    = optional(string)
    memory = optional(string)
  })
  default = {}

  validation {
    condition = alltrue([
      for amount in values(var.container_max) :
      amount == null || can(regex("^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", amount))
    ])
    error_message = "Each maximum must be a Kubernetes quantity, such as 4 or 8Gi."
  }
}

variable "dns" {
  description = "Where the cluster's DNS runs: the only thing that every pod of the namespace may reach."
  type = object({
    namespace  = optional(string, "kube-system")
    pod_labels = optional(map(string), { "k8s-app" = "kube-dns" })
  })
  default = {}

  validation {
    condition     = length(var.dns.pod_labels) > 0
    error_message = "The DNS pods need at least one label: without one, every pod of their namespace would be allowed."
  }
}

variable "priority_classes" {
  description = "Priority classes to make, by name. They belong to the whole cluster. With `preempts = false`, pods wait for room instead of evicting others."
  type = map(object({
    value       = number
    description = string
    preempts    = optional(bool, true)
  }))
  default = {}

  validation {
    condition = alltrue([
      for class in values(var.priority_classes) :
      class.value == floor(class.value) && class.value >= -2147483648 && class.value <= 1000000000
    ])
    error_message = "The value of a priority class must be a whole number up to 1000000000: higher ones are the system's own."
  }
  validation {
    condition     = alltrue([for name in keys(var.priority_classes) : can(regex("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", name)) && !startswith(name, "system-")])
    error_message = "The name of a priority class must be lower-case letters, digits, dots and hyphens, and must not begin with system-."
  }
}
