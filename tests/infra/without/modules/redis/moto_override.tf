# moto has no parameter groups of ElastiCache.

locals {
  parameter_group = null
}

resource "aws_elasticache_parameter_group" "weir" {
  count = 0
}

# Of a replication group it forgets nearly everything: where it is, that it is encrypted, its token.
resource "aws_elasticache_replication_group" "weir" {
  lifecycle {
    ignore_changes = all
  }
}

# And what a rule is for.
resource "aws_vpc_security_group_ingress_rule" "clients" {
  lifecycle {
    ignore_changes = [description]
  }
}
