# The cache in its namespace: guardrails, object store, database, and the cache over them. What the
# organization says is taken apart in organization.tf.
module "guardrails" {
  source = "../../modules/namespace-guardrails"
  count  = local.cache.enabled ? 1 : 0

  namespace = local.organization.namespaces.cache
  # Sizes are bounded one by one in organization.yaml: a sum of them would only be in the way.
  quota = {
    "services.loadbalancers" = "0"
    "services.nodeports"     = "0"
  }
}

module "object_store" {
  source = "../../modules/minio"
  count  = local.has_minio ? 1 : 0

  namespace          = module.guardrails[0].namespace
  image              = local.images.minio
  client_image       = local.images.minioClient
  image_pull_policy  = local.organization.images.pullPolicy
  image_pull_secrets = local.pull_secrets
  replicas           = local.cache.storage.minio.servers
  root_secret        = { name = local.organization.secrets.minioRoot }
  resources          = local.resources.minio

  storage = {
    size  = local.cache.storage.minio.size
    class = try(local.cache.storage.minio.storageClass, null)
  }
  buckets = { (local.cache.storage.bucket) = {} }
  consumers = {
    cache = merge(local.bucket_keys, {
      buckets = [local.cache.storage.bucket]
      secret  = local.organization.secrets.cacheStorage
    })
  }
  network    = { monitoring_namespace = local.organization.monitoring.namespace }
  monitoring = local.monitors
}

module "database" {
  source = "../../modules/postgresql-cnpg"
  count  = local.has_cnpg ? 1 : 0

  namespace          = module.guardrails[0].namespace
  name               = local.cache.database.cnpg.name
  image              = local.images.postgresql
  image_pull_policy  = local.organization.images.pullPolicy
  image_pull_secrets = local.pull_secrets
  instances          = local.cache.database.cnpg.instances
  parameters         = local.cache.database.cnpg.parameters
  resources          = local.resources.database
  owner_secret       = local.organization.secrets.cacheDatabase
  cache_bucket       = local.cache.storage.bucket
  # Some are for the operator, and for who looks what is wrong.
  max_connections = max(200, module.cache[0].database_connections + 30)

  storage = {
    size  = local.cache.database.cnpg.size
    class = try(local.cache.database.cnpg.storageClass, null)
  }
  backup = !local.cache.backups.enabled ? null : merge(local.bucket_keys, {
    bucket             = local.cache.backups.bucket
    path               = local.environment
    endpoint           = local.backups_endpoint
    region             = local.cache.backups.region
    credentials_secret = local.organization.secrets.backups
    schedule           = local.cache.backups.schedule
    retention          = local.cache.backups.retention
  })
  recovery = local.recovery == null ? null : {
    server_name = local.recovery.from
    target_time = try(local.recovery.until, null)
  }
  network = {
    operator_namespace   = local.organization.namespaces.operators
    monitoring_namespace = local.organization.monitoring.namespace
    object_store_ports   = [local.backups_port]
  }
  monitoring = local.monitors
}

module "cache" {
  source = "../../modules/attic-cache"
  count  = local.cache.enabled ? 1 : 0

  namespace          = module.guardrails[0].namespace
  image              = local.images.cache
  image_pull_policy  = local.organization.images.pullPolicy
  image_pull_secrets = local.pull_secrets
  token_keys_secret  = local.organization.secrets.cacheKeys
  retention          = local.cache.retention == "forever" ? null : local.cache.retention
  exchange_policy    = local.exchange_policy
  extra_arguments    = ["--audit-days=${local.cache.auditDays}"]
  upstream_cidrs     = anytrue([for cache in values(local.cache.caches) : length(cache.upstreams) > 0]) ? ["0.0.0.0/0"] : []
  resources          = { api = local.resources.cache }

  replicas = {
    min         = local.cache.replicas.min
    max         = local.cache.replicas.max
    cpu_percent = local.cache.replicas.cpuPercent
  }

  database = {
    secret     = local.organization.secrets.cacheDatabase
    key        = "url"
    pod_labels = local.has_cnpg ? module.database[0].pod_labels : {}
    port       = local.has_cnpg ? 5432 : local.cache.database.external.port
    cidrs      = local.has_cnpg ? [] : local.cache.database.external.cidrs
  }

  storage = merge(local.bucket_keys, {
    bucket             = local.cache.storage.bucket
    prefix             = local.cache.storage.prefix == "" ? null : local.cache.storage.prefix
    downloads          = local.cache.downloads
    credentials_secret = local.organization.secrets.cacheStorage
    endpoint           = local.has_minio ? module.object_store[0].endpoint : local.s3_endpoint
    region             = local.has_minio ? "us-east-1" : local.cache.storage.s3.region
    path_style         = local.has_minio ? true : local.cache.storage.s3.pathStyle
    port               = local.has_minio ? module.object_store[0].port : local.s3_port
    pod_labels         = local.has_minio ? module.object_store[0].pod_labels : {}
    cidrs              = local.has_minio ? [] : ["0.0.0.0/0"]
  })

  endpoints = { api = "${local.public_url}/" }
  ingress   = local.ingress
  gateway   = local.gateway
  network = {
    client_namespaces    = local.client_namespaces
    monitoring_namespace = local.organization.monitoring.namespace
  }
  monitoring = local.monitors
}

module "monitoring" {
  source = "../../modules/monitoring"
  count  = local.cache.enabled && local.organization.monitoring.enabled ? 1 : 0

  namespace          = local.organization.monitoring.namespace
  watched_namespaces = [module.guardrails[0].namespace]
  grafana            = local.organization.monitoring.boards ? {} : null
  alerts             = local.organization.monitoring.alerts ? { labels = local.organization.monitoring.labels } : null
}
