variable "namespace" {
  description = "Namespace of the database. It has to exist."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "The namespace must be a DNS label: up to 63 lower-case letters, digits and inner hyphens."
  }
}

variable "name" {
  description = "Name of the cluster: its services are `NAME-rw`, `NAME-ro` and `NAME-r`, the Secret with the URL is `NAME-app`."
  type        = string
  default     = "attic-db"

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$", var.name))
    error_message = "The name must be a DNS label of at most 50 characters that begins with a letter: CloudNativePG appends to it."
  }
}

variable "labels" {
  description = "Further labels of every object."
  type        = map(string)
  default     = {}
}

variable "image" {
  description = "Image of PostgreSQL, from CloudNativePG or made like theirs. The tag begins with the version."
  type        = string
  default     = "ghcr.io/cloudnative-pg/postgresql:18.1-standard-trixie"

  validation {
    condition     = can(regex("^[a-z0-9./:_-]+:1[4-9][-.a-z0-9]*(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "The image needs a tag that begins with a PostgreSQL version from 14 on, such as registry.example.org/postgresql:18.1-standard-trixie."
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

variable "instances" {
  description = "PostgreSQL instances: one primary, the others replicas that take over when it is lost."
  type        = number
  default     = 3

  validation {
    condition     = var.instances == floor(var.instances) && var.instances >= 1 && var.instances <= 9
    error_message = "There must be between 1 and 9 instances."
  }
}

variable "database" {
  description = "Name of the database."
  type        = string
  default     = "flywheel"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.database)) && !contains(["postgres", "template0", "template1"], var.database)
    error_message = "The database must be a plain lower-case identifier, and none of PostgreSQL's own."
  }
}

variable "owner" {
  description = "Role that owns the database and that clients log in as. It is no superuser."
  type        = string
  default     = "flywheel"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.owner)) && !contains(["postgres", "streaming_replica"], var.owner)
    error_message = "The owner must be a plain lower-case identifier, and neither postgres nor streaming_replica."
  }
}

variable "owner_secret" {
  description = "Name of an existing Secret of type `kubernetes.io/basic-auth` with name and password of the owner. Without one, CloudNativePG makes `NAME-app` itself, with the key `uri`."
  type        = string
  default     = null
}

variable "storage" {
  description = "Volume of each instance. Sizes can grow, never shrink. A write-ahead log on a volume of its own cannot fill the one of the data."
  type = object({
    size     = optional(string, "10Gi")
    class    = optional(string)
    wal_size = optional(string, "4Gi")
  })
  default = {}

  validation {
    condition     = alltrue([for size in compact([var.storage.size, var.storage.wal_size]) : can(regex("^[1-9][0-9]*(Mi|Gi|Ti)$", size))])
    error_message = "A size must be a whole number of Mi, Gi or Ti, such as 10Gi."
  }
}

variable "resources" {
  description = "What each instance asks for, and the limit of its memory. `shared_buffers` is a quarter of that unless `parameters` say otherwise."
  type = object({
    cpu_request    = optional(string, "250m")
    memory_request = optional(string, "1Gi")
    memory_limit   = optional(string, "1Gi")
    cpu_limit      = optional(string)
  })
  default = {}

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi)$", var.resources.memory_limit)) && can(regex("^[1-9][0-9]*(Mi|Gi)$", var.resources.memory_request))
    error_message = "Memory must be a whole number of Mi or Gi, such as 1Gi."
  }
}

variable "max_connections" {
  description = "Connections that PostgreSQL accepts. `attic-cache` says in an output how many it needs."
  type        = number
  default     = 200

  validation {
    condition     = var.max_connections == floor(var.max_connections) && var.max_connections >= 20 && var.max_connections <= 5000
    error_message = "There must be between 20 and 5000 connections: a single process of the cache already uses eleven."
  }
}

variable "parameters" {
  description = "Further settings of PostgreSQL, by name. They win over those of this module."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.parameters), ["archive_command", "archive_mode", "ssl", "port", "listen_addresses", "max_connections"])) == 0
    error_message = "CloudNativePG owns archive_command, archive_mode, ssl, port and listen_addresses; max_connections is a variable of its own."
  }
}

variable "require_tls" {
  description = "Whether connections without TLS are refused. The URL that CloudNativePG writes asks for none, so clients then need a URL of their own, with `sslmode=verify-full` and the authority in the Secret `NAME-ca`."
  type        = bool
  default     = false
}

variable "backup" {
  description = "Where base backups and the write-ahead log go, through the Barman plugin: a bucket that is not the cache's, best at another provider. Null: no backups. `credentials_secret` has the keys named beside it; without one the role of the service account counts. `schedule` has six fields, the first is seconds."
  type = object({
    bucket                = string
    path                  = optional(string, "")
    endpoint              = optional(string)
    region                = optional(string)
    endpoint_ca_secret    = optional(string)
    credentials_secret    = optional(string)
    access_key_id_key     = optional(string, "AWS_ACCESS_KEY_ID")
    secret_access_key_key = optional(string, "AWS_SECRET_ACCESS_KEY")
    role_arn              = optional(string)
    schedule              = optional(string, "0 30 2 * * *")
    retention             = optional(string, "30d")
    server_name           = optional(string)
  })
  default = null

  validation {
    condition     = var.backup == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.backup.bucket))
    error_message = "The bucket must be the name of one: 3 to 63 lower-case letters, digits, dots and hyphens."
  }
  validation {
    condition     = var.backup == null || try(var.backup.bucket, "") != var.cache_bucket
    error_message = "Backups must not lie in the cache's bucket: what loses the one would lose the other."
  }
  validation {
    condition     = var.backup == null || try(length(split(" ", var.backup.schedule)), 0) == 6
    error_message = "The schedule must have six fields, seconds first, such as \"0 30 2 * * *\". With five, CloudNativePG would read minutes as seconds."
  }
  validation {
    condition     = var.backup == null || can(regex("^[1-9][0-9]*[dwm]$", var.backup.retention))
    error_message = "The retention must be a number of days, weeks or months, such as 30d, 4w or 3m."
  }
  validation {
    condition     = try(var.backup.endpoint, null) == null || can(regex("^https?://[^/ ]+$", var.backup.endpoint))
    error_message = "The endpoint must be a URL without a path, such as https://s3.example.org."
  }
  validation {
    condition     = try(var.backup.path, "") == "" || can(regex("^[^/].*[^/]$|^[^/]$", var.backup.path))
    error_message = "The path must not begin or end with a slash."
  }
}

variable "cache_bucket" {
  description = "The cache's bucket, so that backups into it are refused."
  type        = string
  default     = ""
}

variable "recovery" {
  description = "Makes the cluster from a backup in place of an empty database: of the server `server_name` in the bucket of `backup`, up to `target_time` (RFC 3339) or to its end. Counts only when the cluster is made, so it needs another `name`. Null: an empty database."
  type = object({
    server_name = string
    target_time = optional(string)
  })
  default = null

  validation {
    condition     = var.recovery == null || var.backup != null
    error_message = "Recovery reads the bucket of backup: set it."
  }
  validation {
    condition     = var.recovery == null || try(var.recovery.server_name, "") != coalesce(try(var.backup.server_name, null), var.name)
    error_message = "The new cluster must not archive under the name it recovers from: choose another name, or backup.server_name."
  }
  validation {
    condition     = try(var.recovery.target_time, null) == null || can(timeadd(var.recovery.target_time, "0s"))
    error_message = "The target time must be in RFC 3339, such as 2026-11-23T08:00:00Z."
  }
}

variable "scheduling" {
  description = "Where instances run. `spread` is preferred or required: whether two of them may share a node when there is no other."
  type = object({
    spread         = optional(string, "preferred")
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
    condition     = contains(["preferred", "required"], var.scheduling.spread)
    error_message = "The spread must be preferred or required."
  }
}

variable "network" {
  description = "Who may come and where instances may go: labels of the client pods in this namespace, the namespaces of the operator and of Prometheus, and the addresses of the API server and of the backup's object store. By default the latter two are any address, on their ports only."
  type = object({
    client_labels        = optional(list(map(string)), [{ "app.kubernetes.io/name" = "attic-cache" }])
    operator_namespace   = optional(string, "cnpg-system")
    monitoring_namespace = optional(string, "monitoring")
    api_server_cidrs     = optional(list(string), ["0.0.0.0/0"])
    api_server_ports     = optional(list(number), [443, 6443])
    object_store_cidrs   = optional(list(string), ["0.0.0.0/0"])
    object_store_ports   = optional(list(number), [443, 9000])
  })
  default = {}

  validation {
    condition     = alltrue([for cidr in concat(var.network.api_server_cidrs, var.network.object_store_cidrs) : can(cidrhost(cidr, 0))])
    error_message = "Addresses must be in CIDR notation, such as 10.96.0.1/32."
  }
  validation {
    condition     = alltrue([for labels in var.network.client_labels : length(labels) > 0])
    error_message = "Each set of client labels needs at least one: an empty set would let in every pod."
  }
}

variable "monitoring" {
  description = "Whether a PodMonitor and alerts are made, which needs Prometheus' operator, and the labels by which that finds them."
  type = object({
    enabled = optional(bool, false)
    labels  = optional(map(string), {})
  })
  default = {}
}
