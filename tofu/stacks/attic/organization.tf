# What the modules want, from what the organization says. Nothing is decided here that has a key
# there, and every default is already in the file.
locals {
  organization = yamldecode(file(var.organization_file))
  environment  = one(keys(local.organization.environments))
  cluster      = local.organization.environments[local.environment]
  cache        = local.organization.cache

  has_minio = local.cache.enabled && local.cache.storage.engine == "minio"
  has_cnpg  = local.cache.enabled && local.cache.database.engine == "cnpg"
  recovery  = try(local.cache.database.cnpg.recovery, null)

  # The names that secrets of buckets have for what is in them.
  bucket_keys = {
    access_key_id_key     = "access-key-id"
    secret_access_key_key = "secret-access-key"
  }
  pull_secrets = compact([try(local.organization.secrets.registry, null)])
  monitors = {
    enabled = local.organization.monitoring.enabled
    labels  = local.organization.monitoring.labels
  }

  resources = { for name, wanted in {
    cache    = local.cache.resources
    minio    = local.cache.storage.minio.resources
    database = local.cache.database.cnpg.resources
    } : name => {
    cpu_request    = wanted.requests.cpu
    memory_request = wanted.requests.memory
    memory_limit   = wanted.limits.memory
    cpu_limit      = try(wanted.limits.cpu, null)
  } }
}

# Images, from the mirror of their registry where there is one.
locals {
  mirrors = { for entry in local.organization.images.mirrors : entry.registry => entry.mirror }
  images = { for name, image in {
    cache       = "${local.organization.images.repository}/cache:${local.organization.images.tag}"
    minio       = local.organization.images.minio
    minioClient = local.organization.images.minioClient
    postgresql  = local.organization.images.postgresql
  } : name => replace(image, "/^[^/]+/", lookup(local.mirrors, split("/", image)[0], split("/", image)[0])) }
}

# The way in.
locals {
  host       = "${local.cache.subdomain}.${local.cluster.domain}"
  public_url = "https://${local.host}"

  issuer = try(local.organization.ingress.tls.issuer, null)
  ingress = local.organization.ingress.kind != "ingress" ? null : {
    host       = local.host
    class      = local.organization.ingress.className
    tls_secret = local.issuer == null ? try(local.organization.ingress.tls.secret, null) : "attic-tls"
    annotations = merge(
      local.organization.ingress.annotations,
      local.issuer == null ? {} : { "cert-manager.io/cluster-issuer" = local.issuer },
    )
  }
  gateway = local.organization.ingress.kind != "gateway" ? null : {
    host      = local.host
    name      = local.organization.ingress.gateway.name
    namespace = local.organization.ingress.gateway.namespace
  }
  entrance = local.gateway == null ? local.organization.ingress.namespace : local.gateway.namespace

  # Jobs pull and push, and so do the managers of runners for them.
  client_namespaces = distinct(compact(concat(
    [local.entrance, local.organization.namespaces.runners, local.organization.namespaces.jobs],
    [for runner in values(local.organization.runners) : try(runner.isolation.namespace, null)],
  )))

  s3_endpoint      = try(local.cache.storage.s3.endpoint, null)
  backups_endpoint = try(local.cache.backups.endpoint, null)
  s3_port          = local.ports["s3"]
  backups_port     = local.ports["backups"]
  ports = { for name, endpoint in { s3 = local.s3_endpoint, backups = local.backups_endpoint } :
    name => endpoint == null ? 443 : coalesce(
      try(tonumber(regex(":([0-9]+)$", endpoint)[0]), null),
      startswith(endpoint, "http:") ? 80 : 443,
    )
  }
}

# What jobs of the group and of named projects may do with the ID token of GitLab, and no other
# secret: push to the caches that say so, pull from all of them.
locals {
  caches = local.cache.caches
  jobs = [
    { name = "group", claims = { namespace_id = [local.organization.gitlab.groupId] } },
    { name = "projects", claims = { project_id = concat(
      [local.organization.gitlab.deployProject.id],
      [for project in values(local.organization.gitlab.projects) : project.id],
    ) } },
  ]
  rules = flatten([for jobs in local.jobs : [
    {
      name   = "${jobs.name}, protected refs"
      claims = merge(jobs.claims, { ref_protected = true })
      grants = [for name, cache in local.caches : { cache = name, allow = cache.ciPush == "none" ? ["pull"] : ["pull", "push"] }]
    },
    merge(
      {
        name   = jobs.name
        claims = jobs.claims
        grants = [for name, cache in local.caches : { cache = name, allow = cache.ciPush == "all" ? ["pull", "push"] : ["pull"] }]
      },
      anytrue([for cache in values(local.caches) : cache.ciPush == "all"]) ? { unprotected_refs_may_write = true } : {},
    ),
  ]])
  # The keys of an issuer are read over TLS only.
  has_policy = length(local.caches) > 0 && startswith(local.organization.gitlab.url, "https://")
  exchange_policy = !local.has_policy ? null : {
    text = jsonencode({ issuers = [{
      issuer   = local.organization.gitlab.url
      audience = local.public_url
      rules    = local.rules
    }] })
    issuer_cidrs = ["0.0.0.0/0"]
  }
}
