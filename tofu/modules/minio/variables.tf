variable "namespace" {
  description = "Namespace of the object store. It has to exist."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "The namespace must be a DNS label: up to 63 lower-case letters, digits and inner hyphens."
  }
}

variable "name" {
  description = "Name of the StatefulSet and of its service."
  type        = string
  default     = "minio"

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

variable "image" {
  description = "Image of the server, with its tag. MinIO's own are no longer made: this is the last one."
  type        = string
  default     = "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z"

  validation {
    condition     = can(regex("^[^\\s:@]+(:[0-9]+/[^\\s:@]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "The image needs a tag other than latest, or a digest."
  }
}

variable "client_image" {
  description = "Image with `mc` and a shell, for the Job that makes buckets and users."
  type        = string
  default     = "quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z"

  validation {
    condition     = can(regex("^[^\\s:@]+(:[0-9]+/[^\\s:@]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*@sha256:[0-9a-f]{64})$", var.client_image)) && !endswith(var.client_image, ":latest")
    error_message = "The client image needs a tag other than latest, or a digest."
  }
}

variable "image_pull_policy" {
  description = "When nodes ask the registry for the image: IfNotPresent, or Always for tags that move."
  type        = string
  default     = "IfNotPresent"

  validation {
    condition     = contains(["IfNotPresent", "Always"], var.image_pull_policy)
    error_message = "The pull policy must be IfNotPresent or Always."
  }
}

variable "image_pull_secrets" {
  description = "Names of Secrets with credentials of the registry."
  type        = list(string)
  default     = []
}

variable "replicas" {
  description = "Servers: 1, or 4 to 16 that survive the loss of some. The number cannot be changed later."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], var.replicas)
    error_message = "There must be 1 server, or between 4 and 16: with two or three, MinIO cannot tell which half is right."
  }
}

variable "drives_per_replica" {
  description = "Volumes of each server. It cannot be changed later."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 4], var.drives_per_replica)
    error_message = "Each server has 1, 2 or 4 volumes."
  }
}

variable "storage" {
  description = "Size and storage class of each volume. A StatefulSet does not pass on a change: let the claims grow by hand first."
  type = object({
    size  = optional(string, "100Gi")
    class = optional(string)
  })
  default = {}

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi|Ti)$", var.storage.size))
    error_message = "The size must be a whole number of Mi, Gi or Ti, such as 100Gi."
  }
}

variable "resources" {
  description = "What each server asks for, and the limit of its memory."
  type = object({
    cpu_request    = optional(string, "250m")
    memory_request = optional(string, "1Gi")
    memory_limit   = optional(string, "2Gi")
    cpu_limit      = optional(string)
  })
  default = {}

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi)$", var.resources.memory_limit)) && can(regex("^[1-9][0-9]*(Mi|Gi)$", var.resources.memory_request))
    error_message = "Memory must be a whole number of Mi or Gi, such as 2Gi."
  }
}

variable "root_secret" {
  description = "Existing Secret with name and password of the administrator, by its keys. Only the servers and the Job see it, no consumer."
  type = object({
    name         = string
    user_key     = optional(string, "MINIO_ROOT_USER")
    password_key = optional(string, "MINIO_ROOT_PASSWORD")
  })

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", var.root_secret.name))
    error_message = "The root Secret must be the name of one, not its content."
  }
}

variable "buckets" {
  description = "Buckets, by name. A quota such as `500GiB` refuses writes beyond it."
  type = map(object({
    quota = optional(string)
  }))

  validation {
    condition     = length(var.buckets) > 0 && alltrue([for name in keys(var.buckets) : can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", name))])
    error_message = "There must be at least one bucket, and each name 3 to 63 lower-case letters, digits and inner hyphens."
  }
  validation {
    condition     = alltrue([for bucket in values(var.buckets) : bucket.quota == null || can(regex("^[1-9][0-9]*(MiB|GiB|TiB)$", bucket.quota))])
    error_message = "A quota must be a whole number of MiB, GiB or TiB, such as 500GiB."
  }
}

variable "consumers" {
  description = "Who uses which buckets, by name: each gets a user with a policy of its own. `secret` is an existing Secret with its access key and secret key."
  type = map(object({
    buckets               = list(string)
    secret                = string
    access_key_id_key     = optional(string, "AWS_ACCESS_KEY_ID")
    secret_access_key_key = optional(string, "AWS_SECRET_ACCESS_KEY")
    read_only             = optional(bool, false)
  }))

  validation {
    condition     = alltrue([for name in keys(var.consumers) : can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", name))])
    error_message = "The name of a consumer must be a DNS label."
  }
  validation {
    condition     = alltrue([for consumer in values(var.consumers) : length(consumer.buckets) > 0 && alltrue([for bucket in consumer.buckets : contains(keys(var.buckets), bucket)])])
    error_message = "Each consumer needs at least one bucket, and each has to be one of buckets."
  }
  validation {
    condition     = !contains([for consumer in values(var.consumers) : consumer.secret], var.root_secret.name)
    error_message = "A consumer must not use the administrator's credentials."
  }
}

variable "credentials_revision" {
  description = "Changing it runs the Job again, which takes up changed Secrets."
  type        = string
  default     = "1"
}

variable "scheduling" {
  description = "Where servers run. Two of them never share a node."
  type = object({
    node_selector  = optional(map(string), {})
    priority_class = optional(string)
    tolerations = optional(list(object({
      key      = optional(string)
      operator = optional(string, "Equal")
      value    = optional(string)
      effect   = optional(string)
    })), [])
  })
  default = {}

  validation {
    condition     = alltrue([for toleration in var.scheduling.tolerations : contains(["Equal", "Exists"], toleration.operator)])
    error_message = "The operator of a toleration must be Equal or Exists."
  }
}

variable "network" {
  description = "Who may come: labels of pods in this namespace, namespaces whose pods may come too, and the namespaces of Prometheus and of DNS."
  type = object({
    client_labels        = optional(list(map(string)), [{ "app.kubernetes.io/name" = "attic-cache" }])
    client_namespaces    = optional(list(string), [])
    monitoring_namespace = optional(string, "monitoring")
    dns_namespace        = optional(string, "kube-system")
  })
  default = {}

  validation {
    condition     = alltrue([for labels in var.network.client_labels : length(labels) > 0])
    error_message = "Each set of client labels needs at least one: an empty set would let in every pod."
  }
}

variable "monitoring" {
  description = "Whether a ServiceMonitor and alerts are made, which needs Prometheus' operator, and the labels by which that finds them."
  type = object({
    enabled = optional(bool, false)
    labels  = optional(map(string), {})
  })
  default = {}
}
