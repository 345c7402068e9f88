# What may not be lost, and what may not stop when a zone does.

module "weir" {
  source = "../../modules/weir"

  name                    = "weir-production"
  runs_on                 = "knative"
  keep                    = true
  bucket_prefix           = var.bucket_prefix
  alarm_emails            = var.alarm_emails
  environment             = var.environment
  secrets                 = var.secrets
  settings_generation     = var.settings_generation
  release                 = var.release
  api_url                 = var.api_url
  console_aliases         = var.console_aliases
  console_certificate_arn = var.console_certificate_arn
  price_class             = "PriceClass_All"

  zones         = 3
  nat_per_zone  = true
  flow_log_days = 30
  log_days      = 90

  postgres = {
    instance_class  = "db.m8g.large"
    storage_gib     = 400 # from here gp3 gives 12,000 operations a second rather than 3,000
    storage_max_gib = 2000
    multi_az        = true
    backup_days     = 35
    max_connections = 800
  }

  redis = {
    node_type     = "cache.t4g.small"
    nodes         = 2
    snapshot_days = 7
  }

  cluster = {
    namespace           = "weir-production" # the overlay's
    administrators      = var.cluster_administrators
    public_access_cidrs = var.cluster_access_cidrs
    instance_types      = ["m7i.xlarge", "m7a.xlarge"]
    nodes               = { minimum = 3, maximum = 12 }
  }
}
