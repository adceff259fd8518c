# A Job makes buckets and users, under another name whenever what it does changes: Jobs cannot be
# changed, and one without a time to live stays known to the state.
locals {
  actions = {
    bucket = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    read   = ["s3:GetObject"]
    write  = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
  }

  setup_files = merge(
    {
      "setup.sh" = file("${path.module}/setup.sh")
      "buckets"  = join("", [for name, bucket in var.buckets : "${name} ${coalesce(bucket.quota, "none")}\n"])
    },
    { for name, consumer in var.consumers : "${name}.json" => jsonencode({
      Version = "2012-10-17"
      Statement = [
        { Effect = "Allow", Action = local.actions.bucket, Resource = [for bucket in consumer.buckets : "arn:aws:s3:::${bucket}"] },
        {
          Effect   = "Allow"
          Action   = consumer.read_only ? local.actions.read : concat(local.actions.read, local.actions.write)
          Resource = [for bucket in consumer.buckets : "arn:aws:s3:::${bucket}/*"]
        },
      ]
    }) },
  )

  setup_secrets = concat(
    [
      { secret = var.root_secret.name, key = var.root_secret.user_key, path = "root/user" },
      { secret = var.root_secret.name, key = var.root_secret.password_key, path = "root/password" },
    ],
    flatten([for name, consumer in var.consumers : [
      { secret = consumer.secret, key = consumer.access_key_id_key, path = "${name}/access-key" },
      { secret = consumer.secret, key = consumer.secret_access_key_key, path = "${name}/secret-key" },
    ]]),
  )

  setup_pod = merge(local.scheduling, {
    automountServiceAccountToken = false
    enableServiceLinks           = false
    securityContext              = local.pod_security_context
    restartPolicy                = "OnFailure"
    containers = [{
      name            = "setup"
      image           = var.client_image
      imagePullPolicy = var.image_pull_policy
      command         = ["/bin/sh", "/etc/minio-setup/setup.sh"]
      securityContext = local.security_context
      env = [
        { name = "MINIO_URL", value = local.url },
        { name = "CONFIG", value = "/etc/minio-setup" },
        { name = "SECRETS", value = "/run/secrets/minio-setup" },
        { name = "HOME", value = "/tmp" },
        { name = "MC_CONFIG_DIR", value = "/tmp/mc" },
      ]
      resources = {
        requests = { cpu = "50m", memory = "64Mi" }
        limits   = { memory = "256Mi" }
      }
      volumeMounts = [
        { name = "config", mountPath = "/etc/minio-setup", readOnly = true },
        { name = "secrets", mountPath = "/run/secrets/minio-setup", readOnly = true },
        { name = "tmp", mountPath = "/tmp" },
      ]
    }]
    volumes = [
      { name = "config", configMap = { name = "${var.name}-setup-${local.setup_digest}", defaultMode = 292 } },
      {
        name = "secrets"
        projected = {
          # 0440: readable through the group of the pod.
          defaultMode = 288
          sources = [for entry in local.setup_secrets : {
            secret = { name = entry.secret, items = [{ key = entry.key, path = entry.path }] }
          }]
        }
      },
      # The alias of mc, with the administrator's keys: never on a disk.
      { name = "tmp", emptyDir = { medium = "Memory", sizeLimit = "16Mi" } },
    ]
  })

  setup_digest = substr(sha256(jsonencode([
    local.setup_files, local.setup_secrets, local.scheduling, var.client_image, var.image_pull_policy, var.credentials_revision, local.labels,
  ])), 0, 10)
}

resource "kubectl_manifest" "setup_files" {
  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "${var.name}-setup-${local.setup_digest}", namespace = var.namespace, labels = local.labels }
    immutable  = true
    data       = local.setup_files
  })
}

resource "kubectl_manifest" "setup" {
  depends_on = [kubectl_manifest.servers, kubectl_manifest.service, kubectl_manifest.setup_files]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "batch/v1"
    kind       = "Job"
    metadata   = { name = "${var.name}-setup-${local.setup_digest}", namespace = var.namespace, labels = local.labels }
    spec = {
      backoffLimit          = 10
      activeDeadlineSeconds = 900
      template = {
        metadata = { labels = merge(local.labels, local.setup_labels) }
        spec     = local.setup_pod
      }
    }
  })
}
