terraform {
  required_version = ">= 1.9.0"

  required_providers {
    kubectl = {
      source  = "alekc/kubectl"
      version = "2.1.3"
    }
  }

  # GitLab's state. Address and credentials come from the environment (TF_HTTP_…), which
  # `flywheel plan` fills in from the organization.
  backend "http" {}
}

provider "kubectl" {
  config_context   = local.cluster.context
  load_config_file = true
}
