# A stock server of Attic behind the same interface. It takes its secrets from the environment, so
# that its configuration file has none.
locals {
  atticd_toml = join("\n", concat(
    # Strings of JSON are strings of TOML.
    [
      "listen = \"[::]:8080\"",
      "allowed-hosts = ${jsonencode(var.endpoints.allowed_hosts)}",
    ],
    var.endpoints.api == null ? [] : ["api-endpoint = ${jsonencode(var.endpoints.api)}"],
    var.endpoints.substituter == null ? [] : ["substituter-endpoint = ${jsonencode(var.endpoints.substituter)}"],
    [
      "[database]",
      "heartbeat = true",
      "[storage]",
      "type = \"s3\"",
      "region = ${jsonencode(var.storage.region)}",
      "bucket = ${jsonencode(var.storage.bucket)}",
    ],
    var.storage.endpoint == null ? [] : ["endpoint = ${jsonencode(var.storage.endpoint)}"],
    [
      "[chunking]",
      "nar-size-threshold = 65536",
      "min-size = 16384",
      "avg-size = 65536",
      "max-size = 262144",
      "[compression]",
      "type = \"zstd\"",
      "[garbage-collection]",
      "interval = \"12 hours\"",
    ],
    var.retention == null ? [] : ["default-retention-period = ${jsonencode("${trimsuffix(var.retention, "d")} days")}"],
    [""],
  ))

  atticd = {
    api_args     = ["--config", "/etc/attic/server.toml", "--mode", "api-server"]
    gc_args      = ["--config", "/etc/attic/server.toml", "--mode", "garbage-collector"]
    migrate_args = ["--config", "/etc/attic/server.toml", "--mode", "db-migrations"]

    files = { "server.toml" = local.atticd_toml }

    env = concat(
      [
        { name = "HOME", value = "/tmp" },
        { name = "ATTIC_SERVER_DATABASE_URL", valueFrom = { secretKeyRef = { name = var.database.secret, key = var.database.key } } },
        { name = "ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64", valueFrom = { secretKeyRef = { name = var.token_keys_secret, key = "hs256" } } },
      ],
      local.s3_env,
    )

    api_extras = {
      ports = [{ name = "http", containerPort = 8080, protocol = "TCP" }]
      # It has one page and nothing that says whether it can work.
      startupProbe   = { httpGet = { path = "/", port = "http" }, periodSeconds = 3, failureThreshold = 40 }
      livenessProbe  = { httpGet = { path = "/", port = "http" }, periodSeconds = 10, timeoutSeconds = 5, failureThreshold = 6 }
      readinessProbe = { httpGet = { path = "/", port = "http" }, periodSeconds = 3, timeoutSeconds = 3, failureThreshold = 2 }
      # It stops at once when told to, so it is told late.
      lifecycle = { preStop = { sleep = { seconds = var.shutdown.drain } } }
    }
    # Its garbage collector listens to nobody, so there is nothing to ask.
    gc_extras = {}
    # Two collectors at the same time remove what the other one needs.
    gc_strategy = { type = "Recreate" }

    volumes = [
      { name = "tmp", emptyDir = { sizeLimit = "256Mi" } },
      { name = "files", configMap = { name = "${var.name}-files", defaultMode = 292 } },
    ]
    mounts = [
      { name = "tmp", mountPath = "/tmp" },
      { name = "files", mountPath = "/etc/attic", readOnly = true },
    ]
  }
}
