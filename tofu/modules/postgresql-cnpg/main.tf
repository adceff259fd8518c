locals {
  labels = merge(var.labels, {
    "app.kubernetes.io/name"       = "postgresql"
    "app.kubernetes.io/instance"   = var.name
    "app.kubernetes.io/managed-by" = "opentofu"
    "app.kubernetes.io/part-of"    = "glorious-flywheel"
  })
  # What the operator puts on every pod of the cluster.
  pod_labels = { "cnpg.io/cluster" = var.name }

  memory_mib = tonumber(regex("[0-9]+", var.resources.memory_limit)) * (endswith(var.resources.memory_limit, "Gi") ? 1024 : 1)
  parameters = merge({
    "shared_buffers"       = "${floor(local.memory_mib / 4)}MB"
    "effective_cache_size" = "${floor(local.memory_mib * 3 / 4)}MB"
    # A statement that takes a second is worth a line.
    "log_min_duration_statement" = "1s"
  }, var.parameters, { "max_connections" = tostring(var.max_connections) })

  barman      = "barman-cloud.cloudnative-pg.io"
  server_name = coalesce(try(var.backup.server_name, null), var.name)

  owner_secret = var.owner_secret == null ? null : { name = var.owner_secret }
  target_time  = try(var.recovery.target_time, null)

  # Manifests leave out what is not set: here and below, null is not written.
  initdb = { for key, value in {
    database = var.database
    owner    = var.owner
    secret   = local.owner_secret
    encoding = "UTF8"
    # Sorted by bytes everywhere: no index breaks when the C library of an image changes.
    localeCollate = "C"
    localeCType   = "C"
    dataChecksums = true
  } : key => value if value != null }

  recovery = { for key, value in {
    source         = "origin"
    database       = var.database
    owner          = var.owner
    secret         = local.owner_secret
    recoveryTarget = local.target_time == null ? null : { targetTime = local.target_time }
  } : key => value if value != null }

  storage = { for key, value in {
    size         = var.storage.size
    storageClass = var.storage.class
  } : key => value if value != null }
}

resource "kubectl_manifest" "cluster" {
  depends_on = [kubectl_manifest.object_store, kubectl_manifest.network_policy]
  # Under another name it is a restore: what cannot be made must not cost the old one.
  lifecycle {
    create_before_destroy = true
  }

  server_side_apply = true
  wait              = true
  yaml_body = yamlencode({
    apiVersion = "postgresql.cnpg.io/v1"
    kind       = "Cluster"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = { for key, value in {
      instances        = var.instances
      imageName        = var.image
      imagePullPolicy  = var.image_pull_policy
      imagePullSecrets = length(var.image_pull_secrets) == 0 ? null : [for name in var.image_pull_secrets : { name = name }]
      bootstrap = { for way, settings in {
        initdb   = var.recovery == null ? local.initdb : null
        recovery = var.recovery == null ? null : local.recovery
      } : way => settings if settings != null }
      storage    = local.storage
      walStorage = var.storage.wal_size == null ? null : merge(local.storage, { size = var.storage.wal_size })
      postgresql = { for key, value in {
        parameters = local.parameters
        pg_hba     = var.require_tls ? ["hostnossl all all all reject"] : null
      } : key => value if value != null }
      resources = {
        requests = { cpu = var.resources.cpu_request, memory = var.resources.memory_request }
        limits = { for name, amount in {
          memory = var.resources.memory_limit
          cpu    = var.resources.cpu_limit
        } : name => amount if amount != null }
      }
      affinity = { for key, value in {
        enablePodAntiAffinity = true
        podAntiAffinityType   = var.scheduling.spread
        topologyKey           = "kubernetes.io/hostname"
        nodeSelector          = length(var.scheduling.node_selector) == 0 ? null : var.scheduling.node_selector
        tolerations = length(var.scheduling.tolerations) == 0 ? null : [
          for toleration in var.scheduling.tolerations : { for key, value in toleration : key => value if value != null }
        ]
      } : key => value if value != null }
      topologySpreadConstraints = [{
        maxSkew           = 1
        topologyKey       = "topology.kubernetes.io/zone"
        whenUnsatisfiable = "ScheduleAnyway"
        labelSelector     = { matchLabels = local.pod_labels }
      }]
      priorityClassName = var.scheduling.priority_class
      # A single instance with a budget would keep its node from ever being drained.
      enablePDB             = var.instances > 1
      enableSuperuserAccess = false
      primaryUpdateMethod   = var.instances > 1 ? "switchover" : "restart"
      # The operator itself makes pods without root, capabilities and a writable root.
      seccompProfile = { type = "RuntimeDefault" }
      plugins = var.backup == null ? null : [{
        name          = local.barman
        isWALArchiver = true
        parameters    = { barmanObjectName = var.name, serverName = local.server_name }
      }]
      serviceAccountTemplate = try(var.backup.role_arn, null) == null ? null : {
        metadata = { annotations = { "eks.amazonaws.com/role-arn" = var.backup.role_arn } }
      }
      externalClusters = var.recovery == null ? null : [{
        name = "origin"
        plugin = {
          name       = local.barman
          parameters = { barmanObjectName = var.name, serverName = var.recovery.server_name }
        }
      }]
    } : key => value if value != null }
  })
}
