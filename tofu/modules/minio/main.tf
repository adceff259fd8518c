locals {
  labels = merge(var.labels, {
    "app.kubernetes.io/name"       = "minio"
    "app.kubernetes.io/instance"   = var.name
    "app.kubernetes.io/managed-by" = "opentofu"
    "app.kubernetes.io/part-of"    = "glorious-flywheel"
  })
  pod_labels   = { "app.kubernetes.io/name" = "minio", "app.kubernetes.io/instance" = var.name, "app.kubernetes.io/component" = "server" }
  setup_labels = { "app.kubernetes.io/name" = "minio", "app.kubernetes.io/instance" = var.name, "app.kubernetes.io/component" = "setup" }

  distributed = var.replicas > 1
  headless    = "${var.name}-peers"
  url         = "http://${var.name}.${var.namespace}.svc:9000"

  drives = [for index in range(var.drives_per_replica) : "data-${index}"]
  # MinIO's own notation: {0...3} stands for each number.
  paths   = var.drives_per_replica == 1 ? "/data-0" : "/data-{0...${var.drives_per_replica - 1}}"
  volumes = local.distributed ? "http://${var.name}-{0...${var.replicas - 1}}.${local.headless}.${var.namespace}.svc:9000${local.paths}" : local.paths

  # The same for every container of this module.
  security_context = {
    allowPrivilegeEscalation = false
    readOnlyRootFilesystem   = true
    capabilities             = { drop = ["ALL"] }
  }
  pod_security_context = {
    runAsNonRoot        = true
    runAsUser           = 1000
    runAsGroup          = 1000
    fsGroup             = 1000
    fsGroupChangePolicy = "OnRootMismatch"
    seccompProfile      = { type = "RuntimeDefault" }
  }
  # Null is not written.
  scheduling = { for key, value in {
    imagePullSecrets  = length(var.image_pull_secrets) == 0 ? null : [for name in var.image_pull_secrets : { name = name }]
    nodeSelector      = length(var.scheduling.node_selector) == 0 ? null : var.scheduling.node_selector
    priorityClassName = var.scheduling.priority_class
    tolerations = length(var.scheduling.tolerations) == 0 ? null : [
      for toleration in var.scheduling.tolerations : { for key, value in toleration : key => value if value != null }
    ]
  } : key => value if value != null }
}

resource "kubectl_manifest" "servers" {
  depends_on = [kubectl_manifest.network_policy, kubectl_manifest.peers]

  server_side_apply = true
  wait_for_rollout  = true
  yaml_body = yamlencode({
    apiVersion = "apps/v1"
    kind       = "StatefulSet"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = {
      serviceName = local.headless
      replicas    = var.replicas
      # They wait for each other: one after the other, none would ever be ready.
      podManagementPolicy = "Parallel"
      selector            = { matchLabels = local.pod_labels }
      template = {
        metadata = { labels = merge(local.labels, local.pod_labels) }
        spec = merge(local.scheduling, {
          automountServiceAccountToken = false
          enableServiceLinks           = false
          securityContext              = local.pod_security_context
          # Uploads that are under way may end.
          terminationGracePeriodSeconds = 60
          affinity = {
            podAntiAffinity = {
              requiredDuringSchedulingIgnoredDuringExecution = [{
                labelSelector = { matchLabels = local.pod_labels }
                topologyKey   = "kubernetes.io/hostname"
              }]
            }
          }
          topologySpreadConstraints = [{
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "ScheduleAnyway"
            labelSelector     = { matchLabels = local.pod_labels }
          }]
          containers = [{
            name            = "minio"
            image           = var.image
            imagePullPolicy = var.image_pull_policy
            args            = ["server", "--quiet", "--certs-dir", "/tmp/certs", "--address", ":9000", local.volumes]
            securityContext = local.security_context
            ports           = [{ name = "s3", containerPort = 9000, protocol = "TCP" }]
            env = [
              { name = "MINIO_ROOT_USER", valueFrom = { secretKeyRef = { name = var.root_secret.name, key = var.root_secret.user_key } } },
              { name = "MINIO_ROOT_PASSWORD", valueFrom = { secretKeyRef = { name = var.root_secret.name, key = var.root_secret.password_key } } },
              { name = "HOME", value = "/tmp" },
              { name = "MINIO_BROWSER", value = "off" },
              { name = "MINIO_UPDATE", value = "off" },
              # Prometheus needs no token; the network policy says who reaches it.
              { name = "MINIO_PROMETHEUS_AUTH_TYPE", value = "public" },
            ]
            resources = {
              requests = { cpu = var.resources.cpu_request, memory = var.resources.memory_request }
              limits = { for name, amount in {
                memory = var.resources.memory_limit
                cpu    = var.resources.cpu_limit
              } : name => amount if amount != null }
            }
            # Long enough for a server that heals its drives first.
            startupProbe   = { httpGet = { path = "/minio/health/live", port = "s3" }, periodSeconds = 5, failureThreshold = 60 }
            livenessProbe  = { httpGet = { path = "/minio/health/live", port = "s3" }, periodSeconds = 15, timeoutSeconds = 5, failureThreshold = 4 }
            readinessProbe = { httpGet = { path = "/minio/health/ready", port = "s3" }, periodSeconds = 5, timeoutSeconds = 5, failureThreshold = 2 }
            volumeMounts = concat(
              [for drive in local.drives : { name = drive, mountPath = "/${drive}" }],
              [{ name = "tmp", mountPath = "/tmp" }],
            )
          }]
          volumes = [{ name = "tmp", emptyDir = { sizeLimit = "64Mi" } }]
        })
      }
      volumeClaimTemplates = [for drive in local.drives : {
        apiVersion = "v1"
        kind       = "PersistentVolumeClaim"
        metadata   = { name = drive, labels = local.pod_labels }
        spec = { for key, value in {
          accessModes      = ["ReadWriteOnce"]
          storageClassName = var.storage.class
          resources        = { requests = { storage = var.storage.size } }
        } : key => value if value != null }
      }]
    }
  })
}

resource "kubectl_manifest" "service" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Service"
    # The one that is watched: the other has the same pods behind it.
    metadata = { name = var.name, namespace = var.namespace, labels = merge(local.labels, local.pod_labels) }
    spec = {
      type     = "ClusterIP"
      selector = local.pod_labels
      ports    = [{ name = "s3", port = 9000, targetPort = "s3", protocol = "TCP" }]
    }
  })
}

resource "kubectl_manifest" "peers" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = local.headless, namespace = var.namespace, labels = local.labels }
    spec = {
      clusterIP = "None"
      # Servers look for each other before any of them is ready.
      publishNotReadyAddresses = true
      selector                 = local.pod_labels
      ports                    = [{ name = "s3", port = 9000, targetPort = "s3", protocol = "TCP" }]
    }
  })
}

resource "kubectl_manifest" "disruption_budget" {
  # Of a single server, a budget would keep its node from ever being drained.
  count = local.distributed ? 1 : 0

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "policy/v1"
    kind       = "PodDisruptionBudget"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = {
      maxUnavailable = 1
      selector       = { matchLabels = local.pod_labels }
      # A server that hangs must not keep its node from being drained.
      unhealthyPodEvictionPolicy = "AlwaysAllow"
    }
  })
}
