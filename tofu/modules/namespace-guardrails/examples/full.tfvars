namespace      = "runners"
keep_namespace = false
labels         = { "team" = "platform" }

pod_security = {
  enforce = "baseline"
  version = "v1.37"
}

quota = {
  "pods"             = "500"
  "requests.cpu"     = "64"
  "requests.memory"  = "128Gi"
  "limits.cpu"       = "256"
  "limits.memory"    = "256Gi"
  "count/jobs.batch" = "50"
}

container_defaults = {
  cpu_limit = "1"
}

container_max = {
  cpu    = "8"
  memory = "16Gi"
}

priority_classes = {
  flywheel-service = { value = 100000, description = "What builds rely on." }
  flywheel-job     = { value = 1000, description = "Builds.", preempts = false }
}
