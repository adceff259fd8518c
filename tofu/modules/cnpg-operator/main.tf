# The objects of the manifests as they were published, one resource each: `kind/namespace/name`.
locals {
  documents = flatten([
    for manifest in values(var.manifests) : [
      for text in split("\n---\n", "\n${file(manifest.file)}\n") : text if can(regex("(?m)^kind:", text))
    ]
  ])

  objects = { for text in local.documents :
    join("/", [yamldecode(text).kind, try(yamldecode(text).metadata.namespace, ""), yamldecode(text).metadata.name]) => text
  }

  namespaces  = { for key, text in local.objects : key => text if startswith(key, "Namespace/") }
  definitions = { for key, text in local.objects : key => text if startswith(key, "CustomResourceDefinition/") }
  others      = { for key, text in local.objects : key => text if !startswith(key, "Namespace/") && !startswith(key, "CustomResourceDefinition/") }
}

resource "kubectl_manifest" "namespace" {
  for_each = local.namespaces

  server_side_apply = true
  wait              = true
  yaml_body         = each.value
}

# Server-side, because these are too large for the annotation of the other way.
resource "kubectl_manifest" "definition" {
  for_each = local.definitions

  server_side_apply = true
  apply_only        = var.keep_definitions
  yaml_body         = each.value
}

resource "kubectl_manifest" "object" {
  for_each   = local.others
  depends_on = [kubectl_manifest.namespace, kubectl_manifest.definition]

  server_side_apply = true
  wait_for_rollout  = true
  yaml_body         = each.value
  # The operator writes the authority of its webhooks there.
  ignore_fields = endswith(split("/", each.key)[0], "WebhookConfiguration") ? ["webhooks"] : null
}
