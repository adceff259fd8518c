manifests = {
  example = {
    file   = "tests/release.yaml"
    sha256 = "69310d9096e7c080ace0df08e88b8f3c2ba4f8fddb98c66bc8303658f1ef2265"
  }
}
