variable "namespace" {
  description = "Namespace of the cache. It has to exist."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "The namespace must be a DNS label: up to 63 lower-case letters, digits and inner hyphens."
  }
}

variable "name" {
  description = "Name of the service, and the beginning of every other name."
  type        = string
  default     = "attic"

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

variable "server" {
  description = "Which server the image holds: `flywheel`, or `atticd` for a stock one of Attic."
  type        = string
  default     = "flywheel"

  validation {
    condition     = contains(["flywheel", "atticd"], var.server)
    error_message = "The server must be flywheel or atticd."
  }
}

variable "image" {
  description = "Image of the server, with its tag. Its entry point is the program: `flywheel` or `atticd`."
  type        = string

  validation {
    condition     = can(regex("^[^\\s:@]+(:[0-9]+/[^\\s:@]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*@sha256:[0-9a-f]{64})$", var.image)) && !can(regex(":latest$", var.image))
    error_message = "The image needs a tag other than latest, or a digest: with latest, nobody knows what runs."
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

variable "user_id" {
  description = "User and group that the server runs as. Never root."
  type        = number
  default     = 65532

  validation {
    condition     = var.user_id == floor(var.user_id) && var.user_id > 0
    error_message = "The server must not run as root: give a user id above 0."
  }
}

variable "replicas" {
  description = "How many replicas answer clients. Between `min` and `max` a HorizontalPodAutoscaler decides by `cpu_percent` of the requested CPU; where both are the same, there is none."
  type = object({
    min         = optional(number, 2)
    max         = optional(number, 6)
    cpu_percent = optional(number, 70)
  })
  default = {}

  validation {
    condition     = var.replicas.min >= 1 && var.replicas.max >= var.replicas.min && var.replicas.min == floor(var.replicas.min) && var.replicas.max == floor(var.replicas.max)
    error_message = "There must be at least one replica, and max must not be below min."
  }
  validation {
    condition     = var.replicas.cpu_percent >= 10 && var.replicas.cpu_percent <= 100
    error_message = "The CPU to aim at must be between 10 and 100 percent."
  }
}

variable "shutdown" {
  description = "Seconds for which a replica that is told to end serves on while the load balancer takes it out (`drain`), and then lets transfers end (`grace`)."
  type = object({
    drain = optional(number, 15)
    grace = optional(number, 120)
  })
  default = {}

  validation {
    condition     = var.shutdown.drain >= 5 && var.shutdown.drain <= 300 && var.shutdown.grace >= 0 && var.shutdown.grace <= 3600
    error_message = "The drain must be between 5 and 300 seconds, because balancers need some to notice, and the grace at most 3600."
  }
}

variable "resources" {
  description = "What each pod asks for, and the limit of its memory: `api` for who answers clients, `worker` for garbage collection and the migration. The CPU is not limited unless asked: compressing uploads would be throttled."
  type = object({
    api = optional(object({
      cpu_request    = optional(string, "500m")
      memory_request = optional(string, "512Mi")
      memory_limit   = optional(string, "1Gi")
      cpu_limit      = optional(string)
    }), {})
    worker = optional(object({
      cpu_request    = optional(string, "100m")
      memory_request = optional(string, "256Mi")
      memory_limit   = optional(string, "1Gi")
      cpu_limit      = optional(string)
    }), {})
  })
  default = {}

  validation {
    condition = alltrue([
      for amount in [var.resources.api.memory_request, var.resources.api.memory_limit, var.resources.worker.memory_request, var.resources.worker.memory_limit] :
      can(regex("^[1-9][0-9]*(Mi|Gi)$", amount))
    ])
    error_message = "Memory must be a whole number of Mi or Gi, such as 512Mi."
  }
}

variable "database" {
  description = "Existing Secret with the URL of a PostgreSQL database, and where that may be reached: at pods with these labels (`pod_labels`, in `namespace` or this one), or at these addresses. `ca_secret` has the authority of its certificate, which the URL then names as `/run/secrets/flywheel/database-ca/ca.crt`."
  type = object({
    secret     = string
    key        = optional(string, "uri")
    ca_secret  = optional(string)
    port       = optional(number, 5432)
    pod_labels = optional(map(string), {})
    namespace  = optional(string)
    cidrs      = optional(list(string), [])
  })

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", var.database.secret))
    error_message = "The database Secret must be the name of one: the URL itself would end in the state."
  }
  validation {
    condition     = length(var.database.pod_labels) > 0 || length(var.database.cidrs) > 0
    error_message = "The network policy must know where the database is: give its pod_labels or its cidrs."
  }
  validation {
    condition     = alltrue([for cidr in var.database.cidrs : can(cidrhost(cidr, 0))])
    error_message = "Addresses of the database must be in CIDR notation, such as 10.1.2.3/32."
  }
}

variable "storage" {
  description = "Bucket for the packs, and where it may be reached: at pods with these labels (`pod_labels`, in `namespace` or this one), or at these addresses. Without `credentials_secret`, credentials come from the role of the service account. `public_endpoint` and `downloads = \"redirect\"` send clients to the bucket."
  type = object({
    bucket                = string
    endpoint              = optional(string)
    public_endpoint       = optional(string)
    region                = optional(string, "us-east-1")
    path_style            = optional(bool)
    prefix                = optional(string)
    downloads             = optional(string, "proxy")
    credentials_secret    = optional(string)
    access_key_id_key     = optional(string, "AWS_ACCESS_KEY_ID")
    secret_access_key_key = optional(string, "AWS_SECRET_ACCESS_KEY")
    port                  = optional(number, 443)
    pod_labels            = optional(map(string), {})
    namespace             = optional(string)
    cidrs                 = optional(list(string), [])
  })

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.storage.bucket))
    error_message = "The bucket must be the name of one: 3 to 63 lower-case letters, digits, dots and hyphens."
  }
  validation {
    condition     = alltrue([for url in compact([var.storage.endpoint, var.storage.public_endpoint]) : can(regex("^https?://[^/ ]+$", url))])
    error_message = "An endpoint must be a URL without a path, such as https://s3.example.org."
  }
  validation {
    condition     = contains(["proxy", "redirect"], var.storage.downloads)
    error_message = "Downloads must be proxy or redirect."
  }
  validation {
    condition     = length(var.storage.pod_labels) > 0 || length(var.storage.cidrs) > 0
    error_message = "The network policy must know where the bucket is: give its pod_labels or its cidrs."
  }
  validation {
    condition     = alltrue([for cidr in var.storage.cidrs : can(cidrhost(cidr, 0))])
    error_message = "Addresses of the bucket must be in CIDR notation, such as 0.0.0.0/0."
  }
  validation {
    condition     = var.server == "flywheel" || (var.storage.prefix == null && var.storage.public_endpoint == null && var.storage.downloads == "proxy")
    error_message = "atticd has no setting for prefix, public_endpoint and downloads."
  }
}

variable "token_keys_secret" {
  description = "Existing Secret with the keys of tokens. For flywheel, each entry is a key, as in the folder of `--token-keys`; atticd uses the entry `hs256` alone, base64 of the secret."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", var.token_keys_secret))
    error_message = "This must be the name of a Secret: the key itself would end in the state."
  }
}

variable "endpoints" {
  description = "Public URLs, which end in a slash: of the API, and of what Nix pulls from where that is another. `allowed_hosts` refuses requests for any other name; empty is any."
  type = object({
    api           = optional(string)
    substituter   = optional(string)
    allowed_hosts = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = alltrue([for url in compact([var.endpoints.api, var.endpoints.substituter]) : can(regex("^https?://[^ ]+/$", url))])
    error_message = "A public URL must begin with http:// or https:// and end in a slash, such as https://cache.example.org/."
  }
}

variable "retention" {
  description = "How long caches without a period of their own keep paths after their last use, such as `90d`. Null: for ever."
  type        = string
  default     = null

  validation {
    condition     = var.retention == null || can(regex("^[1-9][0-9]*d$", var.retention))
    error_message = "The retention must be a number of days, such as 90d."
  }
}

variable "exchange_policy" {
  description = "What ID tokens of GitLab are exchanged for: the text of the file of `--exchange-policy`. It holds no secrets. `issuer_cidrs` is where GitLab may be reached for its keys."
  type = object({
    text         = string
    issuer_cidrs = optional(list(string), ["0.0.0.0/0"])
  })
  default = null

  validation {
    condition     = var.exchange_policy == null || can(yamldecode(var.exchange_policy.text))
    error_message = "The exchange policy must be YAML or JSON."
  }
  validation {
    condition     = var.exchange_policy == null || var.server == "flywheel"
    error_message = "atticd exchanges no tokens."
  }
}

variable "extra_arguments" {
  description = "Further arguments of `cache serve` of the replicas, such as `--requests-per-second=50`. Secrets do not belong here: everybody can read arguments."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for argument in var.extra_arguments : startswith(argument, "--")])
    error_message = "Each argument must begin with --, with its value after an equals sign."
  }
  validation {
    condition     = length([for argument in var.extra_arguments : argument if can(regex("^--(role|listen|metrics-listen|data|database-file|token-keys|drain|grace|s3-[a-z-]+|downloads)(=|$)", argument))]) == 0
    error_message = "Role, addresses, folders, shutdown and S3 are set by other variables of this module."
  }
  validation {
    condition     = length(var.extra_arguments) == 0 || var.server == "flywheel"
    error_message = "atticd has a configuration file and no such arguments."
  }
}

variable "upstream_cidrs" {
  description = "Where upstream caches may be reached, on port 443. Empty: nothing is pulled through."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.upstream_cidrs : can(cidrhost(cidr, 0))])
    error_message = "Addresses of upstream caches must be in CIDR notation, such as 0.0.0.0/0."
  }
}

variable "ingress" {
  description = "Ingress for the public name. Annotations are those of the controller: bodies must be neither limited nor buffered, which for ingress-nginx is set here."
  type = object({
    host        = string
    class       = string
    tls_secret  = optional(string)
    annotations = optional(map(string), {})
  })
  default = null

  validation {
    condition     = var.ingress == null || can(regex("^([a-z0-9]([-a-z0-9]*[a-z0-9])?\\.)+[a-z]{2,}$", var.ingress.host))
    error_message = "The host must be a DNS name, such as cache.example.org."
  }
  validation {
    condition     = var.ingress == null || var.gateway == null
    error_message = "Give ingress or gateway, not both."
  }
}

variable "gateway" {
  description = "HTTPRoute for the public name, attached to an existing Gateway."
  type = object({
    host         = string
    name         = string
    namespace    = optional(string)
    section_name = optional(string)
  })
  default = null

  validation {
    condition     = var.gateway == null || can(regex("^([a-z0-9]([-a-z0-9]*[a-z0-9])?\\.)+[a-z]{2,}$", var.gateway.host))
    error_message = "The host must be a DNS name, such as cache.example.org."
  }
}

variable "network" {
  description = "Who may come: namespaces whose pods may (`client_namespaces`, such as those of the ingress controller and of runners), and the namespaces of Prometheus and of DNS. Pods of this namespace need the label `attic-cache/client: \"true\"`, and where it is closed for what goes out, a policy of their own."
  type = object({
    client_namespaces    = optional(list(string), [])
    monitoring_namespace = optional(string, "monitoring")
    dns_namespace        = optional(string, "kube-system")
  })
  default = {}

  validation {
    condition     = alltrue([for name in var.network.client_namespaces : can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", name))])
    error_message = "A client namespace must be the name of one."
  }
  validation {
    condition     = (var.ingress == null && var.gateway == null) || length(var.network.client_namespaces) > 0
    error_message = "The network policy keeps the ingress controller or gateway out: name its namespace in network.client_namespaces."
  }
}

variable "service_account_annotations" {
  description = "Annotations of the service account, such as `eks.amazonaws.com/role-arn`, by which a provider gives it a role."
  type        = map(string)
  default     = {}
}

variable "scheduling" {
  description = "Where pods run. Replicas are spread over nodes and zones as far as there are any."
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

variable "monitoring" {
  description = "Whether a ServiceMonitor and alerts are made, which needs Prometheus' operator, and the labels by which that finds them. atticd has no metrics."
  type = object({
    enabled = optional(bool, false)
    labels  = optional(map(string), {})
  })
  default = {}

  validation {
    condition     = !var.monitoring.enabled || var.server == "flywheel"
    error_message = "atticd has no metrics to monitor."
  }
}

variable "credentials_revision" {
  description = "Changing it replaces the pods, which then take up changed Secrets of the database and the bucket. Keys of tokens are taken up without."
  type        = string
  default     = "1"
}
