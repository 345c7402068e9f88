# Hints, limits and sessions. Weir lives without it (but for signing in), so one node will do for development.

module "token" {
  source = "../generated-secret"

  name          = "${var.name}/redis-token"
  description   = "AUTH token of the Valkey of ${var.name}"
  generation    = var.token_generation
  recovery_days = var.secret_recovery_days
}

# The provider has no write-only argument for the token, so this one value is in the state.
data "aws_secretsmanager_secret_version" "token" {
  secret_id  = module.token.arn
  version_id = module.token.version_id
}

ephemeral "aws_secretsmanager_secret_version" "token" {
  secret_id  = module.token.arn
  version_id = module.token.version_id
}

resource "aws_elasticache_subnet_group" "weir" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "redis" {
  name        = "${var.name}-redis"
  description = "Valkey of ${var.name}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-redis" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.redis.id
  description                  = "Valkey from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

locals {
  parameter_group = aws_elasticache_parameter_group.weir.name
}

resource "aws_elasticache_parameter_group" "weir" {
  name        = var.name
  family      = "valkey${split(".", var.engine_version)[0]}"
  description = "What Weir asks of Valkey"

  # Sessions and what was leased have an end of their own: those go first when memory runs short.
  parameter {
    name  = "maxmemory-policy"
    value = "volatile-lru"
  }
}

resource "aws_elasticache_replication_group" "weir" {
  replication_group_id = var.name
  description          = "Valkey of ${var.name}"

  engine                     = "valkey"
  engine_version             = var.engine_version
  node_type                  = var.node_type
  parameter_group_name       = local.parameter_group
  auto_minor_version_upgrade = true

  num_cache_clusters         = var.nodes
  automatic_failover_enabled = var.nodes > 1
  multi_az_enabled           = var.nodes > 1

  port               = 6379
  subnet_group_name  = aws_elasticache_subnet_group.weir.name
  security_group_ids = [aws_security_group.redis.id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  auth_token                 = data.aws_secretsmanager_secret_version.token.secret_string
  auth_token_update_strategy = "ROTATE" # the old one goes on being taken

  snapshot_retention_limit = var.snapshot_days
  snapshot_window          = "01:00-02:00"
  maintenance_window       = "sun:04:30-sun:05:30"
  apply_immediately        = var.apply_immediately
}
