mock_provider "kubectl" {}

variables {
  namespace = "attic"
}

run "three_instances_without_backups" {
  command = plan

  assert {
    condition     = yamldecode(kubectl_manifest.cluster.yaml_body).spec.instances == 3 && yamldecode(kubectl_manifest.cluster.yaml_body).spec.enablePDB
    error_message = "There must be three instances, with a disruption budget."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.cluster.yaml_body).spec.postgresql.parameters["shared_buffers"] == "256MB"
    error_message = "A quarter of the memory must be shared buffers."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.cluster.yaml_body).spec.bootstrap.initdb.owner == "flywheel"
    error_message = "The database must be made for its owner."
  }
  assert {
    condition     = length(kubectl_manifest.object_store) == 0 && length(kubectl_manifest.scheduled_backup) == 0
    error_message = "Without backup, nothing of it may be made."
  }
  assert {
    condition     = output.host == "attic-db-rw.attic.svc" && output.url_secret == { name = "attic-db-app", key = "uri" }
    error_message = "The outputs must say how to connect."
  }
}

run "one_instance_can_be_drained" {
  command = plan
  variables {
    instances = 1
  }

  assert {
    condition     = yamldecode(kubectl_manifest.cluster.yaml_body).spec.enablePDB == false
    error_message = "A budget of a single instance would block every drain."
  }
}

run "backups_by_the_plugin" {
  command = plan
  variables {
    backup = {
      bucket             = "attic-backups"
      path               = "production"
      endpoint           = "https://s3.example.org"
      region             = "eu-central-1"
      credentials_secret = "backup-s3"
    }
  }

  assert {
    condition     = yamldecode(kubectl_manifest.object_store[0].yaml_body).spec.configuration.destinationPath == "s3://attic-backups/production/"
    error_message = "Backups must go to their bucket and path."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.object_store[0].yaml_body).spec.configuration.s3Credentials == { accessKeyId = { name = "backup-s3", key = "AWS_ACCESS_KEY_ID" }, secretAccessKey = { name = "backup-s3", key = "AWS_SECRET_ACCESS_KEY" } }
    error_message = "Credentials must come from the Secret."
  }
  assert {
    condition     = contains(yamldecode(kubectl_manifest.object_store[0].yaml_body).spec.instanceSidecarConfiguration.env, { name = "AWS_DEFAULT_REGION", value = "eu-central-1" })
    error_message = "Requests must be signed for the region of the bucket."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.scheduled_backup[0].yaml_body).spec.schedule == "0 30 2 * * *"
    error_message = "The schedule must have six fields."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.cluster.yaml_body).spec.plugins[0].isWALArchiver
    error_message = "The plugin must archive the write-ahead log."
  }
}

run "recovers_to_a_point_in_time" {
  command = plan
  variables {
    name     = "attic-db-2"
    backup   = { bucket = "attic-backups" }
    recovery = { server_name = "attic-db", target_time = "2026-11-23T08:00:00Z" }
  }

  assert {
    condition     = yamldecode(kubectl_manifest.cluster.yaml_body).spec.bootstrap == { recovery = { source = "origin", database = "flywheel", owner = "flywheel", recoveryTarget = { targetTime = "2026-11-23T08:00:00Z" } } }
    error_message = "The cluster must be made from the backup, up to the time."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.cluster.yaml_body).spec.externalClusters[0].plugin.parameters.serverName == "attic-db" && yamldecode(kubectl_manifest.cluster.yaml_body).spec.plugins[0].parameters.serverName == "attic-db-2"
    error_message = "It must read the old archive and write a new one."
  }
}

run "tls_only" {
  command = plan
  variables {
    require_tls = true
  }

  assert {
    condition     = yamldecode(kubectl_manifest.cluster.yaml_body).spec.postgresql.pg_hba == ["hostnossl all all all reject"]
    error_message = "Connections without TLS must be refused."
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
    name = "1-db"
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

run "image_names_a_version" {
  command = plan
  variables {
    image = "ghcr.io/cloudnative-pg/postgresql:latest"
  }
  expect_failures = [var.image]
}

run "instances_are_a_few" {
  command = plan
  variables {
    instances = 0
  }
  expect_failures = [var.instances]
}

run "database_is_not_postgres" {
  command = plan
  variables {
    database = "postgres"
  }
  expect_failures = [var.database]
}

run "owner_is_no_superuser" {
  command = plan
  variables {
    owner = "postgres"
  }
  expect_failures = [var.owner]
}

run "size_is_a_quantity" {
  command = plan
  variables {
    storage = { size = "10 GB" }
  }
  expect_failures = [var.storage]
}

run "memory_is_a_quantity" {
  command = plan
  variables {
    resources = { memory_limit = "1024" }
  }
  expect_failures = [var.resources]
}

run "connections_are_enough" {
  command = plan
  variables {
    max_connections = 10
  }
  expect_failures = [var.max_connections]
}

run "parameters_leave_out_the_operators" {
  command = plan
  variables {
    parameters = { archive_command = "cp %p /archive/%f" }
  }
  expect_failures = [var.parameters]
}

run "bucket_is_a_name" {
  command = plan
  variables {
    backup = { bucket = "s3://attic-backups" }
  }
  expect_failures = [var.backup]
}

run "bucket_is_not_the_caches" {
  command = plan
  variables {
    cache_bucket = "nix-cache"
    backup       = { bucket = "nix-cache" }
  }
  expect_failures = [var.backup]
}

run "schedule_has_six_fields" {
  command = plan
  variables {
    backup = { bucket = "attic-backups", schedule = "30 2 * * *" }
  }
  expect_failures = [var.backup]
}

run "retention_is_a_period" {
  command = plan
  variables {
    backup = { bucket = "attic-backups", retention = "forever" }
  }
  expect_failures = [var.backup]
}

run "endpoint_is_a_url" {
  command = plan
  variables {
    backup = { bucket = "attic-backups", endpoint = "minio:9000" }
  }
  expect_failures = [var.backup]
}

run "path_has_no_outer_slashes" {
  command = plan
  variables {
    backup = { bucket = "attic-backups", path = "/production/" }
  }
  expect_failures = [var.backup]
}

run "recovery_needs_a_backup" {
  command = plan
  variables {
    recovery = { server_name = "old" }
  }
  expect_failures = [var.recovery]
}

run "recovery_is_into_another_archive" {
  command = plan
  variables {
    backup   = { bucket = "attic-backups" }
    recovery = { server_name = "attic-db" }
  }
  expect_failures = [var.recovery]
}

run "target_time_is_a_time" {
  command = plan
  variables {
    name     = "attic-db-2"
    backup   = { bucket = "attic-backups" }
    recovery = { server_name = "attic-db", target_time = "yesterday" }
  }
  expect_failures = [var.recovery]
}

run "spread_is_known" {
  command = plan
  variables {
    scheduling = { spread = "maybe" }
  }
  expect_failures = [var.scheduling]
}

run "addresses_are_cidrs" {
  command = plan
  variables {
    network = { api_server_cidrs = ["10.96.0.1"] }
  }
  expect_failures = [var.network]
}

run "clients_are_selected" {
  command = plan
  variables {
    network = { client_labels = [{}] }
  }
  expect_failures = [var.network]
}
