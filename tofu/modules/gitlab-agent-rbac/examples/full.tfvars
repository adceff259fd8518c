namespace = "attic"

grants = {
  merge-requests = { access = "view", groups = [42] }
  production     = { access = "deploy", projects = [4711], environment = "production", secrets = true }
  runner         = { access = "view", service_accounts = [{ namespace = "runners", name = "plan" }] }
}
