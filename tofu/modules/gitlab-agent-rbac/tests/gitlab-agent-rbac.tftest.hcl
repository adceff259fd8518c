mock_provider "kubectl" {}

variables {
  namespace = "attic"
  grants    = { jobs = { access = "view", projects = [4711] } }
}

run "reads_and_nothing_else" {
  command = plan

  assert {
    condition     = alltrue([for rule in yamldecode(kubectl_manifest.role["jobs"].yaml_body).rules : rule.verbs == ["get", "list", "watch"]])
    error_message = "To view must be to read."
  }
  assert {
    condition     = !anytrue([for rule in yamldecode(kubectl_manifest.role["jobs"].yaml_body).rules : contains(rule.resources, "secrets")])
    error_message = "Secrets must stay closed."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.binding["jobs"].yaml_body).subjects == [{ apiGroup = "rbac.authorization.k8s.io", kind = "Group", name = "gitlab:project:4711" }]
    error_message = "It must be for jobs of the project alone."
  }
}

run "deploys_from_one_environment" {
  command = plan
  variables {
    grants = { production = { access = "deploy", projects = [4711], groups = [42], environment = "production", secrets = true } }
  }

  assert {
    condition     = output.subjects["production"] == ["gitlab:project_env:4711:production", "gitlab:group_env:42:production"]
    error_message = "Only jobs of the environment may deploy."
  }
  assert {
    condition     = anytrue([for rule in yamldecode(kubectl_manifest.role["production"].yaml_body).rules : contains(rule.resources, "secrets")])
    error_message = "Secrets were asked for."
  }
}

run "lets_pods_in" {
  command = plan
  variables {
    grants = { jobs = { access = "view", service_accounts = [{ namespace = "runners", name = "deploy" }] } }
  }

  assert {
    condition     = yamldecode(kubectl_manifest.binding["jobs"].yaml_body).subjects == [{ kind = "ServiceAccount", namespace = "runners", name = "deploy" }]
    error_message = "It must be for this account alone."
  }
  assert {
    condition     = alltrue([for rule in yamldecode(kubectl_manifest.cluster_role["jobs"].yaml_body).rules : rule.verbs == ["get"]])
    error_message = "Of the cluster, a job only looks at what a plan compares."
  }
}

run "namespace_is_a_dns_label" {
  command = plan
  variables {
    namespace = "Attic"
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

run "grant_has_a_name" {
  command = plan
  variables {
    grants = { "Merge requests" = { access = "view", groups = [42] } }
  }
  expect_failures = [var.grants]
}

run "access_is_known" {
  command = plan
  variables {
    grants = { jobs = { access = "admin", projects = [4711] } }
  }
  expect_failures = [var.grants]
}

run "grant_is_for_somebody" {
  command = plan
  variables {
    grants = { jobs = { access = "view" } }
  }
  expect_failures = [var.grants]
}

run "ids_are_whole" {
  command = plan
  variables {
    grants = { jobs = { access = "view", projects = [-1] } }
  }
  expect_failures = [var.grants]
}

run "environment_is_a_slug" {
  command = plan
  variables {
    grants = { jobs = { access = "deploy", projects = [4711], environment = "Review/*" } }
  }
  expect_failures = [var.grants]
}

run "secrets_are_for_deploying" {
  command = plan
  variables {
    grants = { jobs = { access = "view", projects = [4711], secrets = true } }
  }
  expect_failures = [var.grants]
}

run "account_has_no_environment" {
  command = plan
  variables {
    grants = { jobs = { access = "view", environment = "production", service_accounts = [{ namespace = "runners", name = "deploy" }] } }
  }
  expect_failures = [var.grants]
}

run "account_has_a_name" {
  command = plan
  variables {
    grants = { jobs = { access = "view", service_accounts = [{ namespace = "runners", name = "" }] } }
  }
  expect_failures = [var.grants]
}
