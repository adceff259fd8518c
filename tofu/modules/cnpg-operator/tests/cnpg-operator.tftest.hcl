mock_provider "kubectl" {}

variables {
  manifests = {
    example = { file = "tests/release.yaml", sha256 = "f8908934f4e6d6ec0ddd316baf67b0392715fe4f1d5acc0f4e135bda42677701" }
  }
}

run "one_resource_an_object" {
  command = plan

  assert {
    condition     = output.objects == ["CustomResourceDefinition//examples.example.org", "Namespace//example-system", "ServiceAccount/example-system/manager", "ValidatingWebhookConfiguration//example"]
    error_message = "Each document must be a resource."
  }
  assert {
    condition     = kubectl_manifest.definition["CustomResourceDefinition//examples.example.org"].apply_only
    error_message = "Definitions must stay: with them, Kubernetes removes all clusters."
  }
  assert {
    condition     = kubectl_manifest.object["ValidatingWebhookConfiguration//example"].ignore_fields == tolist(["webhooks"])
    error_message = "What the operator writes into its webhooks must not be a change."
  }
}

run "digest_is_one" {
  command = plan
  variables {
    manifests = { example = { file = "tests/release.yaml", sha256 = "latest" } }
  }
  expect_failures = [var.manifests]
}

run "file_is_there" {
  command = plan
  variables {
    manifests = { example = { file = "tests/nowhere.yaml", sha256 = "f8908934f4e6d6ec0ddd316baf67b0392715fe4f1d5acc0f4e135bda42677701" } }
  }
  expect_failures = [var.manifests]
}

run "file_is_the_reviewed_one" {
  command = plan
  variables {
    manifests = { example = { file = "tests/release.yaml", sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" } }
  }
  expect_failures = [var.manifests]
}
