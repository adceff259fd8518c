mock_provider "kubectl" {}

variables {
  namespace         = "attic"
  image             = "registry.example.org/flywheel/cache:0.1.0"
  token_keys_secret = "attic-token-keys"
  database = {
    secret     = "attic-db-app"
    pod_labels = { "cnpg.io/cluster" = "attic-db" }
  }
  storage = {
    bucket     = "nix-cache"
    endpoint   = "http://minio.attic.svc:9000"
    port       = 9000
    pod_labels = { "app.kubernetes.io/name" = "minio" }
  }
}

run "roles_of_one_program" {
  command = plan

  assert {
    condition     = contains(yamldecode(kubectl_manifest.api.yaml_body).spec.template.spec.containers[0].args, "--role=api") && contains(yamldecode(kubectl_manifest.gc.yaml_body).spec.template.spec.containers[0].args, "--role=gc") && contains(yamldecode(kubectl_manifest.migration.yaml_body).spec.template.spec.containers[0].args, "--role=migrate")
    error_message = "API, garbage collection and migration must be pods of their own."
  }
  assert {
    condition     = !contains(keys(yamldecode(kubectl_manifest.api.yaml_body).spec), "replicas") && yamldecode(kubectl_manifest.autoscaler[0].yaml_body).spec.minReplicas == 2
    error_message = "The autoscaler alone must decide how many replicas there are."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.api.yaml_body).spec.template.spec.terminationGracePeriodSeconds == 150
    error_message = "The grace period must be longer than drain and grace together."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.api.yaml_body).spec.template.spec.containers[0].readinessProbe.httpGet.path == "/readyz" && yamldecode(kubectl_manifest.api.yaml_body).spec.template.spec.containers[0].livenessProbe.httpGet.path == "/healthz"
    error_message = "A database that is away must make a replica unready, not restart it."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.network_policy.yaml_body).spec.egress[1] == { to = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = "minio" } } }], ports = [{ port = 9000, protocol = "TCP" }] }
    error_message = "The bucket must be reachable, on its port only."
  }
  assert {
    condition     = output.database_connections == 110 && output.public_url == null && output.service_url == "http://attic.attic.svc/"
    error_message = "The outputs must say what others need."
  }
}

run "fixed_number_of_replicas" {
  command = plan
  variables {
    replicas = { min = 1, max = 1 }
  }

  assert {
    condition     = yamldecode(kubectl_manifest.api.yaml_body).spec.replicas == 1 && length(kubectl_manifest.autoscaler) == 0
    error_message = "Without a range there must be no autoscaler."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.disruption_budget.yaml_body).spec.maxUnavailable == 1
    error_message = "A single replica must not block a drain."
  }
}

run "stock_attic" {
  command = plan
  variables {
    server = "atticd"
  }

  assert {
    condition     = yamldecode(kubectl_manifest.gc.yaml_body).spec.strategy.type == "Recreate"
    error_message = "Two of its garbage collectors must never run at once."
  }
  assert {
    condition     = strcontains(yamldecode(kubectl_manifest.files[0].yaml_body).data["server.toml"], "bucket = \"nix-cache\"")
    error_message = "Its configuration must name the bucket."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.api.yaml_body).spec.template.spec.containers[0].lifecycle.preStop.sleep.seconds == 15
    error_message = "It must be told to end only when the balancer has taken it out."
  }
}

run "ingress" {
  command = plan
  variables {
    ingress = { host = "cache.example.org", class = "nginx", tls_secret = "cache-tls" }
    network = { client_namespaces = ["ingress-nginx"] }
  }

  assert {
    condition     = output.public_url == "https://cache.example.org/" && yamldecode(kubectl_manifest.ingress[0].yaml_body).metadata.annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == "0"
    error_message = "NARs of any size must pass."
  }
}

run "gateway" {
  command = plan
  variables {
    gateway = { host = "cache.example.org", name = "public" }
    network = { client_namespaces = ["gateways"] }
  }

  assert {
    condition     = output.public_url == "https://cache.example.org/" && yamldecode(kubectl_manifest.route[0].yaml_body).spec.parentRefs == [{ name = "public" }]
    error_message = "The route must hang on the gateway."
  }
}

run "exchange" {
  command = plan
  variables {
    exchange_policy = { text = "issuers: []", issuer_cidrs = ["10.9.8.7/32"] }
  }

  assert {
    condition     = yamldecode(kubectl_manifest.files[0].yaml_body).data == { "exchange-policy.yaml" = "issuers: []" }
    error_message = "The policy must be a file."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.network_policy.yaml_body).spec.egress[3] == { to = [{ ipBlock = { cidr = "10.9.8.7/32" } }], ports = [{ port = 443, protocol = "TCP" }] }
    error_message = "GitLab must be reachable for its keys."
  }
}

run "namespace_is_a_dns_label" {
  command = plan
  variables {
    namespace = "Attic"
  }
  expect_failures = [var.namespace]
}

run "name_begins_with_a_letter" {
  command = plan
  variables {
    name = "1cache"
  }
  expect_failures = [var.name]
}

run "server_is_known" {
  command = plan
  variables {
    server = "harmonia"
  }
  expect_failures = [var.server]
}

run "image_is_pulled_by_a_known_policy" {
  command = plan
  variables {
    image_pull_policy = "Sometimes"
  }
  expect_failures = [var.image_pull_policy]
}

run "image_has_a_tag" {
  command = plan
  variables {
    image = "registry.example.org/flywheel/cache:latest"
  }
  expect_failures = [var.image]
}

run "user_is_not_root" {
  command = plan
  variables {
    user_id = 0
  }
  expect_failures = [var.user_id]
}

run "replicas_are_a_range" {
  command = plan
  variables {
    replicas = { min = 3, max = 2 }
  }
  expect_failures = [var.replicas]
}

run "cpu_is_a_percentage" {
  command = plan
  variables {
    replicas = { cpu_percent = 500 }
  }
  expect_failures = [var.replicas]
}

run "drain_is_noticed" {
  command = plan
  variables {
    shutdown = { drain = 0 }
  }
  expect_failures = [var.shutdown]
}

run "memory_is_a_quantity" {
  command = plan
  variables {
    resources = { api = { memory_limit = "lots" } }
  }
  expect_failures = [var.resources]
}

run "database_is_a_secret" {
  command = plan
  variables {
    database = { secret = "postgresql://flywheel:x@db/flywheel", cidrs = ["10.0.0.1/32"] }
  }
  expect_failures = [var.database]
}

run "database_has_a_place" {
  command = plan
  variables {
    database = { secret = "attic-db-app" }
  }
  expect_failures = [var.database]
}

run "database_addresses_are_cidrs" {
  command = plan
  variables {
    database = { secret = "attic-db-app", cidrs = ["10.0.0.1"] }
  }
  expect_failures = [var.database]
}

run "bucket_is_a_name" {
  command = plan
  variables {
    storage = { bucket = "s3://nix-cache", cidrs = ["0.0.0.0/0"] }
  }
  expect_failures = [var.storage]
}

run "endpoint_is_a_url" {
  command = plan
  variables {
    storage = { bucket = "nix-cache", endpoint = "minio:9000", cidrs = ["0.0.0.0/0"] }
  }
  expect_failures = [var.storage]
}

run "downloads_are_known" {
  command = plan
  variables {
    storage = { bucket = "nix-cache", downloads = "torrent", cidrs = ["0.0.0.0/0"] }
  }
  expect_failures = [var.storage]
}

run "bucket_has_a_place" {
  command = plan
  variables {
    storage = { bucket = "nix-cache" }
  }
  expect_failures = [var.storage]
}

run "bucket_addresses_are_cidrs" {
  command = plan
  variables {
    storage = { bucket = "nix-cache", cidrs = ["everywhere"] }
  }
  expect_failures = [var.storage]
}

run "atticd_has_no_prefix" {
  command = plan
  variables {
    server  = "atticd"
    storage = { bucket = "nix-cache", prefix = "production", cidrs = ["0.0.0.0/0"] }
  }
  expect_failures = [var.storage]
}

run "token_keys_are_a_secret" {
  command = plan
  variables {
    token_keys_secret = "c2VjcmV0Cg=="
  }
  expect_failures = [var.token_keys_secret]
}

run "public_url_ends_in_a_slash" {
  command = plan
  variables {
    endpoints = { api = "https://cache.example.org" }
  }
  expect_failures = [var.endpoints]
}

run "retention_is_in_days" {
  command = plan
  variables {
    retention = "3 months"
  }
  expect_failures = [var.retention]
}

run "exchange_policy_is_yaml" {
  command = plan
  variables {
    exchange_policy = { text = "issuers: [" }
  }
  expect_failures = [var.exchange_policy]
}

run "atticd_exchanges_nothing" {
  command = plan
  variables {
    server          = "atticd"
    exchange_policy = { text = "issuers: []" }
  }
  expect_failures = [var.exchange_policy]
}

run "arguments_are_flags" {
  command = plan
  variables {
    extra_arguments = ["serve"]
  }
  expect_failures = [var.extra_arguments]
}

run "arguments_leave_out_the_modules" {
  command = plan
  variables {
    extra_arguments = ["--role=all"]
  }
  expect_failures = [var.extra_arguments]
}

run "atticd_takes_no_arguments" {
  command = plan
  variables {
    server          = "atticd"
    extra_arguments = ["--audit-days=30"]
  }
  expect_failures = [var.extra_arguments]
}

run "upstream_addresses_are_cidrs" {
  command = plan
  variables {
    upstream_cidrs = ["cache.nixos.org"]
  }
  expect_failures = [var.upstream_cidrs]
}

run "host_of_the_ingress_is_a_name" {
  command = plan
  variables {
    ingress = { host = "https://cache.example.org", class = "nginx" }
    network = { client_namespaces = ["ingress-nginx"] }
  }
  expect_failures = [var.ingress]
}

run "ingress_or_gateway" {
  command = plan
  variables {
    ingress = { host = "cache.example.org", class = "nginx" }
    gateway = { host = "cache.example.org", name = "public" }
    network = { client_namespaces = ["gateways"] }
  }
  expect_failures = [var.ingress]
}

run "host_of_the_gateway_is_a_name" {
  command = plan
  variables {
    gateway = { host = "cache", name = "public" }
    network = { client_namespaces = ["gateways"] }
  }
  expect_failures = [var.gateway]
}

run "client_namespace_is_a_name" {
  command = plan
  variables {
    network = { client_namespaces = ["*"] }
  }
  expect_failures = [var.network]
}

run "ingress_is_let_in" {
  command = plan
  variables {
    ingress = { host = "cache.example.org", class = "nginx" }
  }
  expect_failures = [var.network]
}

run "toleration_operator_is_known" {
  command = plan
  variables {
    scheduling = { tolerations = [{ key = "data", operator = "Like" }] }
  }
  expect_failures = [var.scheduling]
}

run "atticd_has_no_metrics" {
  command = plan
  variables {
    server     = "atticd"
    monitoring = { enabled = true }
  }
  expect_failures = [var.monitoring]
}
