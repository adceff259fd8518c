mock_provider "kubectl" {}

variables {
  namespace          = "monitoring"
  watched_namespaces = ["attic", "runners"]
}

run "boards_and_alerts" {
  command = plan

  assert {
    condition     = output.boards == ["flywheel-board-cache", "flywheel-board-namespaces"]
    error_message = "Each board must be a ConfigMap."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.board["cache"].yaml_body).metadata.labels["grafana_dashboard"] == "1"
    error_message = "Grafana must find the boards by their label."
  }
  assert {
    condition     = jsondecode(yamldecode(kubectl_manifest.board["cache"].yaml_body).data["flywheel-cache.json"]).uid == "flywheel-cache"
    error_message = "A board must be the JSON of one."
  }
  assert {
    condition     = strcontains(yamldecode(kubectl_manifest.alerts[0].yaml_body).spec.groups[0].rules[0].expr, "namespace=~\"attic|runners\"")
    error_message = "Alerts must be about the watched namespaces."
  }
}

run "nothing_wanted" {
  command = plan
  variables {
    grafana = null
    alerts  = null
  }

  assert {
    condition     = length(output.boards) == 0 && length(output.alerts) == 0
    error_message = "Neither boards nor alerts may be made."
  }
}

run "namespace_is_a_dns_label" {
  command = plan
  variables {
    namespace = "Monitoring"
  }
  expect_failures = [var.namespace]
}

run "name_begins_with_a_letter" {
  command = plan
  variables {
    name = "1"
  }
  expect_failures = [var.name]
}

run "something_is_watched" {
  command = plan
  variables {
    watched_namespaces = []
  }
  expect_failures = [var.watched_namespaces]
}

run "label_is_a_name" {
  command = plan
  variables {
    grafana = { label = "not a label" }
  }
  expect_failures = [var.grafana]
}
