# Operators, before anything is made that they look after.
locals {
  organization = yamldecode(file(var.organization_file))
  cluster      = one(values(local.organization.environments))
  has_cnpg     = local.organization.cache.enabled && local.organization.cache.database.engine == "cnpg"
}

module "cnpg" {
  source = "../../modules/cnpg-operator"
  count  = local.has_cnpg ? 1 : 0

  manifests = var.manifests
}
