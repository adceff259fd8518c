manifests = {
  example = {
    file   = "tests/release.yaml"
    sha256 = "f8908934f4e6d6ec0ddd316baf67b0392715fe4f1d5acc0f4e135bda42677701"
  }
}
