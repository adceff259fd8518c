mock_provider "kubectl" {}

variables {
  namespace   = "attic"
  root_secret = { name = "minio-root" }
  buckets     = { nix-cache = {} }
  consumers   = { cache = { buckets = ["nix-cache"], secret = "attic-s3" } }
}

run "single_server" {
  command = plan

  assert {
    condition     = contains(yamldecode(kubectl_manifest.servers.yaml_body).spec.template.spec.containers[0].args, "/data-0")
    error_message = "A single server must use its one volume."
  }
  assert {
    condition     = length(kubectl_manifest.disruption_budget) == 0
    error_message = "A budget of a single server would block every drain."
  }
  assert {
    condition     = jsondecode(yamldecode(kubectl_manifest.setup_files.yaml_body).data["cache.json"]).Statement[1].Resource == ["arn:aws:s3:::nix-cache/*"]
    error_message = "The consumer must reach its own bucket only."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.setup_files.yaml_body).data["buckets"] == "nix-cache none\n"
    error_message = "The bucket must be made without a quota."
  }
}

run "distributed" {
  command = plan
  variables {
    replicas           = 4
    drives_per_replica = 2
  }

  assert {
    condition     = contains(yamldecode(kubectl_manifest.servers.yaml_body).spec.template.spec.containers[0].args, "http://minio-{0...3}.minio-peers.attic.svc:9000/data-{0...1}")
    error_message = "All servers must know all volumes."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.disruption_budget[0].yaml_body).spec.maxUnavailable == 1
    error_message = "One server at a time may be drained."
  }
}

run "reads_only" {
  command = plan
  variables {
    consumers = { audit = { buckets = ["nix-cache"], secret = "audit-s3", read_only = true } }
  }

  assert {
    condition     = jsondecode(yamldecode(kubectl_manifest.setup_files.yaml_body).data["audit.json"]).Statement[1].Action == ["s3:GetObject"]
    error_message = "A reader must not write."
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
    name = "0minio"
  }
  expect_failures = [var.name]
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
    image = "quay.io/minio/minio:latest"
  }
  expect_failures = [var.image]
}

run "client_image_has_a_tag" {
  command = plan
  variables {
    client_image = "quay.io/minio/mc"
  }
  expect_failures = [var.client_image]
}

run "replicas_make_a_quorum" {
  command = plan
  variables {
    replicas = 2
  }
  expect_failures = [var.replicas]
}

run "drives_are_a_few" {
  command = plan
  variables {
    drives_per_replica = 3
  }
  expect_failures = [var.drives_per_replica]
}

run "size_is_a_quantity" {
  command = plan
  variables {
    storage = { size = "big" }
  }
  expect_failures = [var.storage]
}

run "memory_is_a_quantity" {
  command = plan
  variables {
    resources = { memory_limit = "2000" }
  }
  expect_failures = [var.resources]
}

run "root_secret_is_a_name" {
  command = plan
  variables {
    root_secret = { name = "hunter2!" }
  }
  expect_failures = [var.root_secret]
}

run "bucket_is_a_name" {
  command = plan
  variables {
    buckets   = { "Nix_Cache" = {} }
    consumers = {}
  }
  expect_failures = [var.buckets]
}

run "quota_is_a_size" {
  command = plan
  variables {
    buckets = { nix-cache = { quota = "500G" } }
  }
  expect_failures = [var.buckets]
}

run "consumer_is_a_dns_label" {
  command = plan
  variables {
    consumers = { "The_Cache" = { buckets = ["nix-cache"], secret = "attic-s3" } }
  }
  expect_failures = [var.consumers]
}

run "consumer_uses_known_buckets" {
  command = plan
  variables {
    consumers = { cache = { buckets = ["elsewhere"], secret = "attic-s3" } }
  }
  expect_failures = [var.consumers]
}

run "consumer_is_not_the_administrator" {
  command = plan
  variables {
    consumers = { cache = { buckets = ["nix-cache"], secret = "minio-root" } }
  }
  expect_failures = [var.consumers]
}

run "toleration_operator_is_known" {
  command = plan
  variables {
    scheduling = { tolerations = [{ key = "data", operator = "Like" }] }
  }
  expect_failures = [var.scheduling]
}

run "clients_are_selected" {
  command = plan
  variables {
    network = { client_labels = [{}] }
  }
  expect_failures = [var.network]
}
