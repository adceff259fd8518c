locals {
  # NARs have no size limit, are not written to disk on their way, and take as long as they take.
  nginx_annotations = {
    "nginx.ingress.kubernetes.io/proxy-body-size"         = "0"
    "nginx.ingress.kubernetes.io/proxy-request-buffering" = "off"
    "nginx.ingress.kubernetes.io/proxy-buffering"         = "off"
    "nginx.ingress.kubernetes.io/proxy-read-timeout"      = "3600"
    "nginx.ingress.kubernetes.io/proxy-send-timeout"      = "3600"
    "nginx.ingress.kubernetes.io/proxy-next-upstream"     = "error timeout http_503"
  }
}

resource "kubectl_manifest" "ingress" {
  count = var.ingress == null ? 0 : 1

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "Ingress"
    metadata = {
      name        = var.name
      namespace   = var.namespace
      labels      = local.labels
      annotations = merge(local.nginx_annotations, var.ingress.annotations)
    }
    spec = { for key, value in {
      ingressClassName = var.ingress.class
      tls              = var.ingress.tls_secret == null ? null : [{ hosts = [var.ingress.host], secretName = var.ingress.tls_secret }]
      rules = [{
        host = var.ingress.host
        http = {
          paths = [{
            path     = "/"
            pathType = "Prefix"
            backend  = { service = { name = var.name, port = { name = "http" } } }
          }]
        }
      }]
    } : key => value if value != null }
  })
}

resource "kubectl_manifest" "route" {
  count = var.gateway == null ? 0 : 1

  server_side_apply = true
  yaml_body = yamlencode({
    apiVersion = "gateway.networking.k8s.io/v1"
    kind       = "HTTPRoute"
    metadata   = { name = var.name, namespace = var.namespace, labels = local.labels }
    spec = {
      hostnames = [var.gateway.host]
      parentRefs = [{ for key, value in {
        name        = var.gateway.name
        namespace   = var.gateway.namespace
        sectionName = var.gateway.section_name
      } : key => value if value != null }]
      rules = [{
        matches = [{ path = { type = "PathPrefix", value = "/" } }]
        # No limit: uploads take as long as they take.
        timeouts    = { request = "0s" }
        backendRefs = [{ name = var.name, port = 80 }]
      }]
    }
  })
}
