mock_provider "kubectl" {}

variables {
  namespace = "attic"
}

run "restricted_by_default" {
  command = plan

  assert {
    condition     = yamldecode(kubectl_manifest.namespace[0].yaml_body).metadata.labels["pod-security.kubernetes.io/enforce"] == "restricted"
    error_message = "The namespace must enforce the restricted standard."
  }
  assert {
    condition     = kubectl_manifest.namespace[0].apply_only
    error_message = "Destroying the module must leave the namespace, unless asked."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.default_deny.yaml_body).spec == { podSelector = {}, policyTypes = ["Ingress", "Egress"] }
    error_message = "Everything must be closed."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.allow_dns.yaml_body).spec.egress[0].to[0].namespaceSelector.matchLabels["kubernetes.io/metadata.name"] == "kube-system"
    error_message = "DNS must be reachable in kube-system."
  }
}

run "somebody_elses_namespace" {
  command = plan
  variables {
    manage_namespace = false
    quota            = {}
  }

  assert {
    condition     = length(kubectl_manifest.namespace) == 0 && length(kubectl_manifest.quota) == 0
    error_message = "Neither namespace nor quota may be applied."
  }
}

run "priorities" {
  command = plan
  variables {
    priority_classes = {
      flywheel-job = { value = 1000, description = "Builds.", preempts = false }
    }
  }

  assert {
    condition     = yamldecode(kubectl_manifest.priority_class["flywheel-job"].yaml_body).preemptionPolicy == "Never"
    error_message = "Jobs must wait instead of evicting."
  }
}

run "namespace_is_a_dns_label" {
  command = plan
  variables {
    namespace = "Attic_Cache"
  }
  expect_failures = [var.namespace]
}

run "namespace_is_not_the_systems" {
  command = plan
  variables {
    namespace = "kube-system"
  }
  expect_failures = [var.namespace]
}

run "pod_security_level_exists" {
  command = plan
  variables {
    pod_security = { enforce = "strict" }
  }
  expect_failures = [var.pod_security]
}

run "pod_security_version_is_one" {
  command = plan
  variables {
    pod_security = { version = "1.37" }
  }
  expect_failures = [var.pod_security]
}

run "quota_amount_is_a_quantity" {
  command = plan
  variables {
    quota = { "requests.memory" = "32 GB" }
  }
  expect_failures = [var.quota]
}

run "quota_name_is_a_resource" {
  command = plan
  variables {
    quota = { "Requests CPU" = "1" }
  }
  expect_failures = [var.quota]
}

run "default_is_a_quantity" {
  command = plan
  variables {
    container_defaults = { cpu_request = "a little" }
  }
  expect_failures = [var.container_defaults]
}

run "quota_of_cpu_limits_needs_a_default" {
  command = plan
  variables {
    quota = { "limits.cpu" = "16" }
  }
  expect_failures = [var.container_defaults]
}

run "maximum_is_a_quantity" {
  command = plan
  variables {
    container_max = { memory = "8 GiB" }
  }
  expect_failures = [var.container_max]
}

run "dns_pods_are_selected" {
  command = plan
  variables {
    dns = { pod_labels = {} }
  }
  expect_failures = [var.dns]
}

run "priority_is_below_the_systems" {
  command = plan
  variables {
    priority_classes = { flywheel = { value = 2000000000, description = "Too high." } }
  }
  expect_failures = [var.priority_classes]
}

run "priority_name_is_not_the_systems" {
  command = plan
  variables {
    priority_classes = { system-flywheel = { value = 1, description = "Reserved." } }
  }
  expect_failures = [var.priority_classes]
}
