namespace          = "monitoring"
watched_namespaces = ["attic", "runners"]

alerts = {
  labels = { "release" = "prometheus" }
}
