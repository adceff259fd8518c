locals {
  # At a first apply, database, bucket and their users come after the pods.
  flywheel_wait = "20m"
  flywheel_serve = [
    "cache", "serve",
    "--data=/var/lib/flywheel/data",
    "--database-file=/run/secrets/flywheel/database/url",
    "--token-keys=/run/secrets/flywheel/token-keys",
    "--listen=0.0.0.0:8080",
    "--metrics-listen=0.0.0.0:9090",
    "--wait=${local.flywheel_wait}",
    "--drain=${var.shutdown.drain}s",
    "--grace=${var.shutdown.grace}s",
  ]

  flywheel_arguments = { for name, value in {
    s3-bucket            = var.storage.bucket
    s3-endpoint          = var.storage.endpoint
    s3-public-endpoint   = var.storage.public_endpoint
    s3-region            = var.storage.region
    s3-path-style        = var.storage.path_style == null ? null : tostring(var.storage.path_style)
    s3-prefix            = var.storage.prefix
    downloads            = var.storage.downloads
    api-endpoint         = var.endpoints.api
    substituter-endpoint = var.endpoints.substituter
    retention            = var.retention
    exchange-policy      = var.exchange_policy == null ? null : "/etc/flywheel/exchange-policy.yaml"
  } : name => value if value != null }

  flywheel_settings = concat(
    [for name, value in local.flywheel_arguments : "--${name}=${value}"],
    [for host in var.endpoints.allowed_hosts : "--allowed-host=${host}"],
  )

  flywheel = {
    api_args     = concat(local.flywheel_serve, ["--role=api"], local.flywheel_settings, var.extra_arguments)
    gc_args      = concat(local.flywheel_serve, ["--role=gc"], local.flywheel_settings)
    migrate_args = ["cache", "serve", "--role=migrate", "--wait=${local.flywheel_wait}", "--database-file=/run/secrets/flywheel/database/url"]

    files = { for name, text in {
      "exchange-policy.yaml" = try(var.exchange_policy.text, null)
    } : name => text if text != null }

    env = concat(
      [
        { name = "HOME", value = "/tmp" },
        { name = "XDG_CACHE_HOME", value = "/tmp/cache" },
      ],
      local.s3_env,
    )

    # A server waits for the migration, and for what the applies beside it make. It is restarted when it is dead, never because
    # the database or the bucket is: that takes it out of the service, and no more. It serves on by
    # itself while the balancer takes it out.
    api_extras  = local.flywheel_listening
    gc_extras   = local.flywheel_listening
    gc_strategy = { type = "RollingUpdate", rollingUpdate = { maxUnavailable = 0, maxSurge = 1 } }

    volumes = concat(
      [
        # An administrator's token is made here at each start: never on a disk.
        { name = "data", emptyDir = { medium = "Memory", sizeLimit = "64Mi" } },
        { name = "tmp", emptyDir = { sizeLimit = "256Mi" } },
        { name = "database", secret = { secretName = var.database.secret, defaultMode = 288, items = [{ key = var.database.key, path = "url" }] } },
        { name = "token-keys", secret = { secretName = var.token_keys_secret, defaultMode = 288 } },
      ],
      var.database.ca_secret == null ? [] : [
        { name = "database-ca", secret = { secretName = var.database.ca_secret, defaultMode = 288, items = [{ key = "ca.crt", path = "ca.crt" }] } },
      ],
      var.exchange_policy == null ? [] : [{ name = "files", configMap = { name = "${var.name}-files", defaultMode = 292 } }],
    )
    mounts = concat(
      [
        { name = "data", mountPath = "/var/lib/flywheel" },
        { name = "tmp", mountPath = "/tmp" },
        { name = "database", mountPath = "/run/secrets/flywheel/database", readOnly = true },
        { name = "token-keys", mountPath = "/run/secrets/flywheel/token-keys", readOnly = true },
      ],
      var.database.ca_secret == null ? [] : [{ name = "database-ca", mountPath = "/run/secrets/flywheel/database-ca", readOnly = true }],
      var.exchange_policy == null ? [] : [{ name = "files", mountPath = "/etc/flywheel", readOnly = true }],
    )
  }

  flywheel_listening = {
    ports = [
      { name = "http", containerPort = 8080, protocol = "TCP" },
      { name = "metrics", containerPort = 9090, protocol = "TCP" },
    ]
    startupProbe   = { httpGet = { path = "/healthz", port = "http" }, periodSeconds = 3, failureThreshold = 40 }
    livenessProbe  = { httpGet = { path = "/healthz", port = "http" }, periodSeconds = 10, timeoutSeconds = 5, failureThreshold = 6 }
    readinessProbe = { httpGet = { path = "/readyz", port = "http" }, periodSeconds = 3, timeoutSeconds = 3, failureThreshold = 2 }
  }

  s3_env = var.storage.credentials_secret == null ? [] : [
    { name = "AWS_ACCESS_KEY_ID", valueFrom = { secretKeyRef = { name = var.storage.credentials_secret, key = var.storage.access_key_id_key } } },
    { name = "AWS_SECRET_ACCESS_KEY", valueFrom = { secretKeyRef = { name = var.storage.credentials_secret, key = var.storage.secret_access_key_key } } },
  ]
}
