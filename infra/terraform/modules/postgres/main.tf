# The truth of Weir: one RDS Postgres, reached over TLS by nobody but Weir.

locals {
  major = split(".", var.engine_version)[0]
}

module "password" {
  source = "../generated-secret"

  name          = "${var.name}/postgres-password"
  description   = "Password of ${var.username} at the Postgres of ${var.name}"
  generation    = var.password_generation
  recovery_days = var.secret_recovery_days
}

ephemeral "aws_secretsmanager_secret_version" "password" {
  secret_id  = module.password.arn
  version_id = module.password.version_id
}

resource "aws_db_subnet_group" "weir" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "postgres" {
  name        = "${var.name}-postgres"
  description = "Postgres of ${var.name}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-postgres" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.postgres.id
  description                  = "Postgres from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "weir" {
  name_prefix = "${var.name}-"
  family      = "postgres${local.major}"
  description = "What Weir asks of Postgres"

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = contains(local.static_parameters, parameter.key) ? "pending-reboot" : "immediate"
    }
  }

  lifecycle {
    create_before_destroy = true # a new major version needs a new family while the old one is in use
  }
}

resource "aws_db_instance" "weir" {
  identifier = var.name

  engine                      = "postgres"
  engine_version              = var.engine_version
  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = var.allow_major_version_upgrade
  instance_class              = var.instance_class
  ca_cert_identifier          = "rds-ca-rsa2048-g1"
  parameter_group_name        = aws_db_parameter_group.weir.name

  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_max_gib
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_name             = "weir"
  username            = var.username
  password_wo         = ephemeral.aws_secretsmanager_secret_version.password.secret_string
  password_wo_version = var.password_generation

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.weir.name
  vpc_security_group_ids = [aws_security_group.postgres.id]
  publicly_accessible    = false

  backup_retention_period   = var.backup_days
  backup_window             = "02:00-03:00"
  maintenance_window        = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = !var.deletion_protection
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = var.deletion_protection ? "${var.name}-last" : null
  apply_immediately         = var.apply_immediately

  performance_insights_enabled          = var.performance_insights
  performance_insights_retention_period = var.performance_insights ? 7 : null
  monitoring_interval                   = var.monitoring_seconds
  monitoring_role_arn                   = var.monitoring_seconds > 0 ? aws_iam_role.monitoring[0].arn : null
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.postgres]
}

# Made here rather than by RDS, whose own would be kept for ever.
resource "aws_cloudwatch_log_group" "postgres" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.log_days
}
