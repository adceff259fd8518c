locals {
  labels = merge(var.labels, {
    "app.kubernetes.io/name"       = "gitlab-agent-rbac"
    "app.kubernetes.io/managed-by" = "opentofu"
    "app.kubernetes.io/part-of"    = "glorious-flywheel"
  })

  read  = ["get", "list", "watch"]
  write = ["get", "list", "watch", "create", "update", "patch", "delete"]

  # No wildcards: what a new operator brings is closed until somebody opens it.
  view = [
    { apiGroups = [""], resources = ["configmaps", "events", "limitranges", "persistentvolumeclaims", "pods", "pods/log", "resourcequotas", "serviceaccounts", "services"], verbs = local.read },
    { apiGroups = ["apps"], resources = ["deployments", "replicasets", "statefulsets"], verbs = local.read },
    { apiGroups = ["batch"], resources = ["cronjobs", "jobs"], verbs = local.read },
    { apiGroups = ["autoscaling"], resources = ["horizontalpodautoscalers"], verbs = local.read },
    { apiGroups = ["policy"], resources = ["poddisruptionbudgets"], verbs = local.read },
    { apiGroups = ["networking.k8s.io"], resources = ["ingresses", "networkpolicies"], verbs = local.read },
    { apiGroups = ["gateway.networking.k8s.io"], resources = ["httproutes"], verbs = local.read },
    { apiGroups = ["postgresql.cnpg.io"], resources = ["backups", "clusters", "scheduledbackups"], verbs = local.read },
    { apiGroups = ["barmancloud.cnpg.io"], resources = ["objectstores"], verbs = local.read },
    { apiGroups = ["monitoring.coreos.com"], resources = ["podmonitors", "prometheusrules", "servicemonitors"], verbs = local.read },
  ]
  deploy = [
    { apiGroups = [""], resources = ["configmaps", "limitranges", "persistentvolumeclaims", "resourcequotas", "serviceaccounts", "services"], verbs = local.write },
    { apiGroups = [""], resources = ["events", "pods", "pods/log"], verbs = local.read },
    { apiGroups = ["apps"], resources = ["deployments", "statefulsets"], verbs = local.write },
    { apiGroups = ["apps"], resources = ["controllerrevisions", "replicasets"], verbs = local.read },
    { apiGroups = ["batch"], resources = ["cronjobs", "jobs"], verbs = local.write },
    { apiGroups = ["autoscaling"], resources = ["horizontalpodautoscalers"], verbs = local.write },
    { apiGroups = ["policy"], resources = ["poddisruptionbudgets"], verbs = local.write },
    { apiGroups = ["networking.k8s.io"], resources = ["ingresses", "networkpolicies"], verbs = local.write },
    { apiGroups = ["gateway.networking.k8s.io"], resources = ["httproutes"], verbs = local.write },
    { apiGroups = ["postgresql.cnpg.io"], resources = ["clusters", "scheduledbackups"], verbs = local.write },
    { apiGroups = ["barmancloud.cnpg.io"], resources = ["objectstores"], verbs = local.write },
    { apiGroups = ["monitoring.coreos.com"], resources = ["podmonitors", "prometheusrules", "servicemonitors"], verbs = local.write },
  ]
  # Some Secrets are only read by a pod at its start.
  secrets = [
    { apiGroups = [""], resources = ["secrets"], verbs = local.write },
    { apiGroups = [""], resources = ["pods"], verbs = ["delete"] },
  ]

  # A plan also compares what an administrator has made outside of the namespace.
  cluster = [
    { apiGroups = [""], resources = ["namespaces"], resourceNames = [var.namespace], verbs = ["get"] },
    { apiGroups = ["scheduling.k8s.io"], resources = ["priorityclasses"], resourceNames = null, verbs = ["get"] },
  ]

  # GitLab's agent impersonates each job with groups that say where it comes from.
  subjects = { for name, grant in var.grants : name => concat(
    [for id in grant.projects : grant.environment == null ? "gitlab:project:${id}" : "gitlab:project_env:${id}:${grant.environment}"],
    [for id in grant.groups : grant.environment == null ? "gitlab:group:${id}" : "gitlab:group_env:${id}:${grant.environment}"],
  ) }
  bound = { for name, grant in var.grants : name => [for subject in concat(
    [for group in local.subjects[name] : { apiGroup = "rbac.authorization.k8s.io", kind = "Group", name = group, namespace = null }],
    [for account in grant.service_accounts : { apiGroup = null, kind = "ServiceAccount", name = account.name, namespace = account.namespace }],
  ) : { for key, value in subject : key => value if value != null }] }
}

resource "kubectl_manifest" "role" {
  for_each = var.grants

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "Role"
    metadata   = { name = "gitlab-jobs-${each.key}", namespace = var.namespace, labels = local.labels }
    rules      = concat(each.value.access == "view" ? local.view : local.deploy, each.value.secrets ? local.secrets : [])
  })
}

resource "kubectl_manifest" "binding" {
  for_each   = var.grants
  depends_on = [kubectl_manifest.role]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "RoleBinding"
    metadata   = { name = "gitlab-jobs-${each.key}", namespace = var.namespace, labels = local.labels }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "Role", name = "gitlab-jobs-${each.key}" }
    subjects   = local.bound[each.key]
  })
}

resource "kubectl_manifest" "cluster_role" {
  for_each = var.grants

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "ClusterRole"
    metadata   = { name = "gitlab-jobs-${var.namespace}-${each.key}", labels = local.labels }
    rules      = [for rule in local.cluster : { for key, value in rule : key => value if value != null }]
  })
}

resource "kubectl_manifest" "cluster_binding" {
  for_each   = var.grants
  depends_on = [kubectl_manifest.cluster_role]

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "ClusterRoleBinding"
    metadata   = { name = "gitlab-jobs-${var.namespace}-${each.key}", labels = local.labels }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = "gitlab-jobs-${var.namespace}-${each.key}" }
    subjects   = local.bound[each.key]
  })
}
