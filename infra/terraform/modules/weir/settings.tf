# The settings that are secret, as one secret: functions read it, or External Secrets makes `weir-settings` of it. What
# is written is never in the plan nor in the state.

module "secret" {
  source = "../generated-secret"

  name          = "${var.name}/weir-secret"
  description   = "WEIR_SECRET of ${var.name}. A new one makes every API key void, and whatever was sealed"
  length        = 64
  recovery_days = var.keep ? 30 : 0
}

module "metrics_token" {
  source = "../generated-secret"

  name          = "${var.name}/metrics-token"
  description   = "WEIR_METRICS_TOKEN of ${var.name}: opens /metrics"
  recovery_days = var.keep ? 30 : 0
}

ephemeral "aws_secretsmanager_secret_version" "generated" {
  for_each = { secret = module.secret, metrics_token = module.metrics_token }

  secret_id  = each.value.arn
  version_id = each.value.version_id
}

locals {
  settings = {
    WEIR_DATABASE_URL  = "${module.postgres.url}?${var.database_tls}"
    WEIR_REDIS_URL     = module.redis.url
    WEIR_SECRET        = ephemeral.aws_secretsmanager_secret_version.generated["secret"].secret_string
    WEIR_METRICS_TOKEN = ephemeral.aws_secretsmanager_secret_version.generated["metrics_token"].secret_string
    WEIR_PUBLIC_URL    = local.public_url
    WEIR_ARCHIVE_URL   = module.archive.url
  }
}

resource "aws_secretsmanager_secret" "settings" {
  name                    = "${var.name}/settings"
  description             = "The settings of Weir that are secret: a JSON object of WEIR_… to text"
  recovery_window_in_days = var.keep ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "settings" {
  secret_id                = aws_secretsmanager_secret.settings.id
  secret_string_wo         = jsonencode(merge(local.settings, var.environment, var.secrets))
  secret_string_wo_version = var.settings_generation
}
