variable "namespace" {
  description = "Namespace for the boards and the rules. It has to exist, and Grafana and Prometheus have to look there."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "The namespace must be a DNS label: up to 63 lower-case letters, digits and inner hyphens."
  }
}

variable "name" {
  description = "Beginning of every name."
  type        = string
  default     = "flywheel"

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$", var.name))
    error_message = "The name must be a DNS label of at most 40 characters that begins with a letter."
  }
}

variable "labels" {
  description = "Further labels of every object."
  type        = map(string)
  default     = {}
}

variable "watched_namespaces" {
  description = "Namespaces whose pods, volumes, quotas and Jobs alerts are about."
  type        = list(string)

  validation {
    condition     = length(var.watched_namespaces) > 0 && alltrue([for name in var.watched_namespaces : can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", name))])
    error_message = "There must be at least one namespace to watch, each by its name."
  }
}

variable "grafana" {
  description = "Boards as ConfigMaps, which Grafana's sidecar finds by this label and puts into this folder. Null: no boards."
  type = object({
    label  = optional(string, "grafana_dashboard")
    value  = optional(string, "1")
    folder = optional(string, "Glorious Flywheel")
  })
  default = {}

  validation {
    condition     = var.grafana == null || can(regex("^[A-Za-z0-9]([A-Za-z0-9./_-]*[A-Za-z0-9])?$", var.grafana.label))
    error_message = "The label must be the name of one, such as grafana_dashboard."
  }
}

variable "alerts" {
  description = "Alerts as a PrometheusRule, with the labels by which Prometheus' operator finds it. Null: none. Those about the cache, the database and the object store come with their own modules."
  type = object({
    labels = optional(map(string), {})
  })
  default = {}
}
