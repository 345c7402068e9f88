# As little as there can be: Lambda, one of everything, and nothing that is worth keeping.

module "weir" {
  source = "../../modules/weir"

  name                = "weir-dev"
  runs_on             = "lambda"
  keep                = false
  bucket_prefix       = var.bucket_prefix
  alarm_emails        = var.alarm_emails
  environment         = var.environment
  secrets             = var.secrets
  settings_generation = var.settings_generation
  release             = var.release
  log_days            = 7

  postgres = {
    instance_class     = "db.t4g.medium"
    max_connections    = 400
    monitoring_seconds = 0
  }

  lambda = {
    package = var.lambda_package

    # Nobody is in a hurry there, and an account that is new has few instances to give.
    concurrency = { for name in ["archive", "catalog", "explore", "identity", "live", "projects", "receive", "replays", "subscriptions"] : name => 3 }
  }
}
