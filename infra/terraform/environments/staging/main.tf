# Production in small: the same parts in the same shape, so that what works here works there.

module "weir" {
  source = "../../modules/weir"

  name                = "weir-staging"
  runs_on             = "knative"
  keep                = false
  bucket_prefix       = var.bucket_prefix
  alarm_emails        = var.alarm_emails
  environment         = var.environment
  secrets             = var.secrets
  settings_generation = var.settings_generation
  release             = var.release
  api_url             = var.api_url
  log_days            = 14

  postgres = {
    instance_class  = "db.t4g.medium"
    max_connections = 400
  }

  redis = {
    nodes = 2
  }

  cluster = {
    namespace           = "weir-staging" # the overlay's
    administrators      = var.cluster_administrators
    public_access_cidrs = var.cluster_access_cidrs
  }
}
