namespace            = "attic"
name                 = "cache"
image                = "registry.example.org:5000/flywheel/cache:0.1.0@sha256:0000000000000000000000000000000000000000000000000000000000000000"
image_pull_secrets   = ["registry"]
token_keys_secret    = "attic-token-keys"
retention            = "90d"
credentials_revision = "2"
upstream_cidrs       = ["0.0.0.0/0"]
extra_arguments      = ["--requests-per-second=200", "--trust-forwarded-for"]

replicas = {
  min         = 3
  max         = 10
  cpu_percent = 60
}

database = {
  secret    = "attic-db"
  key       = "url"
  ca_secret = "attic-db-ca"
  cidrs     = ["10.20.0.0/24"]
}

storage = {
  bucket          = "example-nix-cache"
  public_endpoint = "https://s3.eu-central-1.amazonaws.com"
  region          = "eu-central-1"
  path_style      = false
  prefix          = "production"
  downloads       = "redirect"
  cidrs           = ["0.0.0.0/0"]
}

endpoints = {
  api           = "https://cache.example.org/"
  allowed_hosts = ["cache.example.org", "cache.attic.svc"]
}

exchange_policy = {
  text = <<-POLICY
    issuers:
      - issuer: https://gitlab.example.org
        audience: https://cache.example.org
        rules:
          - name: protected branches
            claims: { ref_protected: true }
            grants: [{ cache: team, allow: [pull, push] }]
  POLICY
}

ingress = {
  host        = "cache.example.org"
  class       = "nginx"
  tls_secret  = "cache-tls"
  annotations = { "cert-manager.io/cluster-issuer" = "letsencrypt" }
}

network = {
  client_namespaces = ["ingress-nginx", "runners"]
}

service_account_annotations = {
  "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/nix-cache"
}

scheduling = {
  priority_class = "flywheel-service"
}

monitoring = {
  enabled = true
  labels  = { "release" = "prometheus" }
}
