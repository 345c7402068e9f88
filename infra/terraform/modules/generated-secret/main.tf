# A random value that only Secrets Manager knows: neither the plan nor the state has it.

ephemeral "aws_secretsmanager_random_password" "new" {
  password_length     = var.length
  exclude_punctuation = true # it goes into URLs as it is
}

resource "aws_secretsmanager_secret" "this" {
  name                    = var.name
  description             = var.description
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}

# A new value is generated at every run and thrown away, unless `generation` has changed.
resource "aws_secretsmanager_secret_version" "this" {
  secret_id                = aws_secretsmanager_secret.this.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.new.random_password
  secret_string_wo_version = var.generation
}
